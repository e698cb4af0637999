#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace ascore {

/// A value of a line: numbers, truth or text. A number that is not finite is written as null, as JSON demands.
using JsonValue = std::variant<double, int64_t, bool, std::string>;

/// One line, in the order given. The first field is by custom {"step", int64_t}.
using JsonLine = std::vector<std::pair<std::string, JsonValue>>;

/// An append-only file of one JSON object per line (metrics.jsonl). Each line reaches the system in one write, so that
/// a reader never sees half of one, and a kill loses at most the line being written.
class JsonLines {
 public:
  /// Opens or creates `path` for appending. With `keep_to_step`, first drops every line whose "step" is greater, and an
  /// unfinished line at the end: what a resumed run is about to write again. Throws DiskError.
  explicit JsonLines(std::filesystem::path path, std::optional<int64_t> keep_to_step = std::nullopt);
  ~JsonLines();
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  void append(const JsonLine& line);
  /// Waits until every line is on the disk: a checkpoint that follows then never outlives the lines before it.
  void sync();

 private:
  std::filesystem::path path_;
  int descriptor_ = -1;
};

/// The numeric fields of every whole line (truth as 0 and 1; other types and null are left out). Throws DataError if
/// the file cannot be read or a line is no JSON object.
std::vector<std::map<std::string, double>> read_json_lines(const std::filesystem::path& path);

}  // namespace ascore
