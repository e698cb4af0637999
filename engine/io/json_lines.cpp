#include "engine/io/json_lines.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/descriptor.hpp"
#include "kernels/core/error.hpp"

#include <cmath>
#include <fcntl.h>
#include <span>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore {

namespace {

using nlohmann::ordered_json;

// Calls body(number, text) for every line that ends in a line feed.
template <class Body>
void for_whole_lines(const std::filesystem::path& path, Body body) {
  const std::vector<std::byte> bytes = read_file(path);
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (int number = 1; rest.find('\n') != std::string_view::npos; ++number) {
    const size_t end = rest.find('\n');
    body(number, rest.substr(0, end));
    rest.remove_prefix(end + 1);
  }
}

ordered_json parse(const std::filesystem::path& path, int number, std::string_view text) {
  ordered_json line = ordered_json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!line.is_object()) throw DataError(fmt::format("{}:{}: no JSON object", path.string(), number));
  return line;
}

void drop_after(const std::filesystem::path& path, int64_t step) {
  if (!std::filesystem::exists(path)) return;
  std::string kept;
  const uintmax_t size = std::filesystem::file_size(path);
  for_whole_lines(path, [&](int number, std::string_view text) {
    const ordered_json line = parse(path, number, text);
    if (line.contains("step") && line["step"].is_number() && line["step"].get<double>() > static_cast<double>(step)) {
      return;
    }
    kept.append(text).push_back('\n');
  });
  if (kept.size() != size) write_file_atomically(path, kept);
}

}  // namespace

JsonLines::JsonLines(std::filesystem::path path, std::optional<int64_t> keep_to_step) : path_(std::move(path)) {
  if (keep_to_step) drop_after(path_, *keep_to_step);
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) disk_failure("open", path_);
}

JsonLines::~JsonLines() {
  ::close(descriptor_);
}

void JsonLines::append(const JsonLine& line) {
  ordered_json object = ordered_json::object();
  for (const auto& [key, value] : line) {
    std::visit([&object, &key = key](const auto& v) { object[key] = v; }, value);  // not finite: dump() says null
  }
  const std::string text = object.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
  write_fully(descriptor_, std::as_bytes(std::span(text)), path_);
}

void JsonLines::sync() {
  if (::fsync(descriptor_) != 0) disk_failure("write", path_);
}

std::vector<std::map<std::string, double>> read_json_lines(const std::filesystem::path& path) {
  std::vector<std::map<std::string, double>> lines;
  for_whole_lines(path, [&](int number, std::string_view text) {
    std::map<std::string, double>& fields = lines.emplace_back();
    const ordered_json line = parse(path, number, text);
    for (const auto& [key, value] : line.items()) {
      if (value.is_number()) fields[key] = value.get<double>();
      if (value.is_boolean()) fields[key] = value.get<bool>() ? 1 : 0;
    }
  });
  return lines;
}

}  // namespace ascore
