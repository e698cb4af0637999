#include "engine/io/safetensors.hpp"

#include "engine/io/atomic_file.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore {

static_assert(std::endian::native == std::endian::little, "safetensors, npy and checkpoints hold little-endian data");

namespace {

using nlohmann::json;
constexpr uint64_t kMaxHeader = 100'000'000;
constexpr const char* kMetadata = "__metadata__";

struct Name {
  const char* text;
  DType dtype;
};
constexpr Name kNames[] = {{"F64", DType::f64}, {"F32", DType::f32}, {"BF16", DType::bf16},
                           {"I64", DType::i64}, {"I32", DType::i32}, {"U8", DType::u8}};

struct Entry {
  std::string name;
  Shape shape;
  DType dtype;
  uint64_t begin, end;
};

struct Header {
  std::map<std::string, std::string> metadata;
  std::vector<Entry> entries;  // by offset
};

// One file being read: every complaint names it.
class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path), in_(path, std::ios::binary) {
    std::error_code error;
    size_ = std::filesystem::file_size(path, error);
    if (error) throw DataError(fmt::format("cannot read {}: {}", path.string(), error.message()));
    if (!in_) fail("it cannot be opened");
  }

  Header header() {
    uint64_t length = 0;
    if (size_ < sizeof length) fail(fmt::format("{} bytes are too few for a safetensors file", size_));
    read(&length, sizeof length);
    if (length > kMaxHeader) fail(fmt::format("header of {} bytes: this is no safetensors file", length));
    if (length > size_ - sizeof length) fail("the header is cut off: the file is truncated");
    std::string text(length, '\0');
    read(text.data(), length);
    if (text.empty() || text.front() != '{') fail("the header does not begin with '{'");
    return parse(text, size_ - sizeof length - length);
  }

  void read(void* to, size_t count) {
    in_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    if (static_cast<size_t>(in_.gcount()) != count) fail("reading ended early");
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(fmt::format("{}: {}", path_.string(), what));
  }

  json parse_json(const std::string& text) const {
    std::vector<std::set<std::string>> keys;  // of the objects that are open: nlohmann keeps the last of equal keys
    std::optional<std::string> twice;
    const json::parser_callback_t callback = [&](int, json::parse_event_t event, json& parsed) {
      if (event == json::parse_event_t::object_start) keys.emplace_back();
      if (event == json::parse_event_t::object_end) keys.pop_back();
      if (event == json::parse_event_t::key && !keys.back().insert(parsed.get<std::string>()).second) {
        twice = parsed.get<std::string>();
      }
      return true;
    };
    json header;
    try {
      header = json::parse(text, callback);
    } catch (const json::exception&) {
      fail("the header is not valid JSON");
    }
    if (twice) fail(fmt::format("the header holds \"{}\" twice", *twice));
    return header;
  }

  Header parse(const std::string& text, uint64_t buffer) const {
    Header header;
    const json parsed = parse_json(text);
    for (const auto& [name, value] : parsed.items()) {
      if (name == kMetadata) {
        if (!value.is_object()) fail("__metadata__ is not an object");
        for (const auto& [key, entry] : value.items()) {
          if (!entry.is_string()) fail(fmt::format("metadata \"{}\" is not text", key));
          header.metadata[key] = entry.get<std::string>();
        }
      } else {
        header.entries.push_back(entry(name, value));
      }
    }
    std::ranges::sort(header.entries, [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    uint64_t position = 0;
    for (const Entry& e : header.entries) {
      if (e.begin != position) {
        fail(
            fmt::format("tensor \"{}\" begins at byte {} where {} was due: gap or overlap", e.name, e.begin, position));
      }
      position = e.end;
    }
    if (position < buffer) fail(fmt::format("{} bytes follow the last tensor", buffer - position));
    if (position > buffer) fail(fmt::format("{} bytes are missing: the file is truncated", position - buffer));
    return header;
  }

  uint64_t natural(const std::string& name, const json& value) const {
    if (!value.is_number_unsigned()) fail(fmt::format("tensor \"{}\": a size or offset is no natural number", name));
    return value.get<uint64_t>();
  }

  Entry entry(const std::string& name, const json& value) const {
    if (!value.is_object() || value.size() != 3 || !value.contains("dtype") || !value.contains("shape") ||
        !value.contains("data_offsets")) {
      fail(fmt::format("tensor \"{}\" needs exactly dtype, shape and data_offsets", name));
    }
    const json &type = value["dtype"], &shape = value["shape"], &offsets = value["data_offsets"];
    const auto* known = std::ranges::find_if(kNames, [&](const Name& n) { return type == n.text; });
    if (known == std::end(kNames))
      fail(fmt::format("tensor \"{}\" has the unknown element type {}", name, type.dump()));
    if (!shape.is_array() || shape.size() > static_cast<size_t>(Shape::kMaxRank)) {
      fail(fmt::format("tensor \"{}\" has no shape of at most {} dimensions", name, Shape::kMaxRank));
    }
    if (!offsets.is_array() || offsets.size() != 2) fail(fmt::format("tensor \"{}\" has no two offsets", name));
    std::vector<int64_t> dims;
    constexpr uint64_t kMaxCount = uint64_t{1} << 59;  // times 8 bytes still fits
    uint64_t count = 1;
    for (const json& d : shape) {
      const uint64_t dim = natural(name, d);
      if (dim > kMaxCount || (dim != 0 && count > kMaxCount / dim))
        fail(fmt::format("tensor \"{}\" is too large", name));
      dims.push_back(static_cast<int64_t>(dim));
      count *= dim;
    }
    const uint64_t begin = natural(name, offsets[0]), end = natural(name, offsets[1]);
    if (end < begin || end - begin != count * size_of(known->dtype)) {
      fail(fmt::format("tensor \"{}\": offsets {} to {} do not fit {} elements of {}", name, begin, end, count,
                       known->text));
    }
    return {name, Shape(std::span<const int64_t>(dims)), known->dtype, begin, end};
  }

  std::filesystem::path path_;
  std::ifstream in_;
  uint64_t size_ = 0;
};

}  // namespace

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  Reader reader(path);
  Header header = reader.header();
  SafetensorsFile file{.metadata = std::move(header.metadata), .tensors = {}};
  for (const Entry& entry : header.entries) {
    HostTensor tensor(entry.shape, entry.dtype);
    reader.read(tensor.bytes.data(), tensor.bytes.size());
    file.tensors.emplace(entry.name, std::move(tensor));
  }
  return file;
}

std::map<std::string, std::string> read_safetensors_metadata(const std::filesystem::path& path) {
  return Reader(path).header().metadata;
}

void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file) {
  // Wide types first keep every array aligned to its element; names give the order within a type.
  std::vector<std::pair<const std::string*, const HostTensor*>> order;
  for (const auto& [name, tensor] : file.tensors) order.emplace_back(&name, &tensor);
  std::ranges::stable_sort(order, std::ranges::greater{}, [](const auto& e) { return size_of(e.second->dtype); });

  json header = json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  uint64_t position = 0;
  for (const auto& [name, tensor] : order) {
    if (*name == kMetadata) throw DataError(fmt::format("{}: a tensor cannot be called {}", path.string(), kMetadata));
    const auto* known = std::ranges::find_if(kNames, [&](const Name& n) { return tensor->dtype == n.dtype; });
    header[*name] = {{"dtype", known->text},
                     {"shape", tensor->shape.dims()},
                     {"data_offsets", {position, position + tensor->bytes.size()}}};
    position += tensor->bytes.size();
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::exception&) {
    throw DataError(fmt::format("{}: a name or metadata is not UTF-8", path.string()));
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();

  AtomicFile out(path);
  out.write(std::as_bytes(std::span(&length, 1)));
  out.write(std::as_bytes(std::span(text)));
  for (const auto& [name, tensor] : order) out.write(tensor->bytes);
  out.commit();
}

}  // namespace ascore
