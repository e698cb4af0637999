#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace ascore::tools {

/// Facts for stdout, in order: aligned lines for people, or one JSON object ("a.b" nests) for programs.
class Report {
 public:
  using Value = std::variant<bool, int64_t, double, std::string, std::vector<std::string>, std::vector<int64_t>>;
  void add(std::string key, bool value) { entries_.emplace_back(std::move(key), value); }
  void add(std::string key, int64_t value) { entries_.emplace_back(std::move(key), value); }
  void add(std::string key, double value) { entries_.emplace_back(std::move(key), value); }
  void add(std::string key, std::string value) { entries_.emplace_back(std::move(key), std::move(value)); }
  void add(std::string key, std::vector<std::string> value) { entries_.emplace_back(std::move(key), std::move(value)); }
  void add(std::string key, std::vector<int64_t> value) { entries_.emplace_back(std::move(key), std::move(value)); }
  void add(std::string key, const char* value) { entries_.emplace_back(std::move(key), std::string(value)); }

  std::string text() const;
  std::string json() const;
  /// The object in one line, without a line break.
  std::string json_line() const;
  /// To stdout.
  void print(bool as_json) const;

 private:
  std::vector<std::pair<std::string, Value>> entries_;
};

}  // namespace ascore::tools
