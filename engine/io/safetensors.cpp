#include "engine/io/safetensors.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/safetensors_header.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <cstring>
#include <fstream>
#include <functional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore {

namespace {

using nlohmann::json;

// Where the bytes of a safetensors file come from, one after the other: a file or memory.
struct Source {
  std::string what;  // names it in errors
  uint64_t size = 0;
  std::function<void(std::byte* to, size_t count)> read;

  [[noreturn]] void fail(const std::string& reason) const { throw DataError(fmt::format("{}: {}", what, reason)); }
};

Source open_file(std::ifstream& in, const std::filesystem::path& path) {
  Source source{.what = path.string(), .size = 0, .read = {}};
  std::error_code error;
  source.size = std::filesystem::file_size(path, error);
  if (error) throw DataError(fmt::format("cannot read {}: {}", path.string(), error.message()));
  in.open(path, std::ios::binary);
  if (!in) source.fail("it cannot be opened");
  source.read = [&in, source](std::byte* to, size_t count) {
    in.read(reinterpret_cast<char*>(to), static_cast<std::streamsize>(count));
    if (static_cast<size_t>(in.gcount()) != count) source.fail("reading ended early");
  };
  return source;
}

SafetensorsHeader read_header(const Source& source) {
  uint64_t length = 0;
  if (source.size < sizeof length) source.fail(fmt::format("{} bytes are too few for a safetensors file", source.size));
  source.read(reinterpret_cast<std::byte*>(&length), sizeof length);
  if (length > SafetensorsHeader::kMostBytes) {
    source.fail(fmt::format("a header of {} bytes, where {} are the most: this is no safetensors file", length,
                            SafetensorsHeader::kMostBytes));
  }
  if (length > source.size - sizeof length) source.fail("the header is cut off: the file is truncated");
  std::string text(length, '\0');
  source.read(reinterpret_cast<std::byte*>(text.data()), length);
  return parse_safetensors_header(text, source.size - sizeof length - length, source.what);
}

SafetensorsFile read_all(const Source& source) {
  SafetensorsHeader header = read_header(source);
  SafetensorsFile file{.metadata = std::move(header.metadata), .tensors = {}};
  for (const SafetensorsEntry& entry : header.entries) {
    std::vector<std::byte> bytes(entry.end - entry.begin);
    source.read(bytes.data(), bytes.size());
    file.tensors.emplace(entry.name, from_stored(std::move(bytes), entry.shape, entry.type));
  }
  return file;
}

}  // namespace

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  std::ifstream in;
  return read_all(open_file(in, path));
}

SafetensorsFile from_safetensors(std::span<const std::byte> bytes, std::string_view what) {
  return read_all(
      {.what = std::string(what), .size = bytes.size(), .read = [bytes](std::byte* to, size_t count) mutable {
         std::copy_n(bytes.begin(), count, to);
         bytes = bytes.subspan(count);
       }});
}

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
  std::ifstream in;
  return read_header(open_file(in, path)).metadata;
}

namespace {

/// The arrays as they follow each other in a file: wide types first keep every array aligned to its element; names give
/// the order within a type.
std::vector<std::pair<const std::string*, const HostTensor*>> in_file_order(const SafetensorsFile& file) {
  std::vector<std::pair<const std::string*, const HostTensor*>> order;
  for (const auto& [name, tensor] : file.tensors) order.emplace_back(&name, &tensor);
  std::ranges::stable_sort(order, std::ranges::greater{}, [](const auto& e) { return size_of(e.second->dtype); });
  return order;
}

}  // namespace

std::string safetensors_preamble(const SafetensorsFile& file, std::string_view what) {
  json header = json::object();
  if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
  uint64_t position = 0;
  for (const auto& [name, tensor] : in_file_order(file)) {
    if (*name == "__metadata__") throw DataError(fmt::format("{}: a tensor cannot be called __metadata__", what));
    header[*name] = {{"dtype", safetensors_name(tensor->dtype)},
                     {"shape", tensor->shape.dims()},
                     {"data_offsets", {position, position + tensor->bytes.size()}}};
    position += tensor->bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    throw DataError(fmt::format("{}: a name or metadata is not UTF-8", what));
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  if (length > SafetensorsHeader::kMostBytes) {
    throw DataError(fmt::format("{}: its header would have {} bytes, where safetensors allows {}", what, length,
                                SafetensorsHeader::kMostBytes));
  }
  return std::string(reinterpret_cast<const char*>(&length), sizeof length) + text;
}

void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file) {
  const std::string preamble = safetensors_preamble(file, path.string());
  AtomicFile out(path);
  out.write(std::as_bytes(std::span(preamble)));
  for (const auto& [name, tensor] : in_file_order(file)) out.write(tensor->bytes);
  out.commit();
}

}  // namespace ascore
