#include "tools/report.hpp"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ascore::tools {

namespace {
struct Shown {
  template <class T>
  std::string operator()(const std::vector<T>& list) const {
    return fmt::format("{}", fmt::join(list, " "));
  }
  template <class T>
  std::string operator()(const T& value) const {
    return fmt::format("{}", value);
  }
};
}  // namespace

std::string Report::text() const {
  size_t width = 0;
  for (const auto& [key, value] : entries_) width = std::max(width, key.size());
  std::string lines;
  for (const auto& [key, value] : entries_) {
    const std::string shown = std::visit(Shown{}, value);
    lines += fmt::format("{:<{}}  {}\n", key, width, shown);
  }
  return lines;
}

namespace {

nlohmann::ordered_json object(const std::vector<std::pair<std::string, Report::Value>>& entries) {
  nlohmann::ordered_json root = nlohmann::ordered_json::object();
  for (const auto& [key, value] : entries) {
    nlohmann::ordered_json* place = &root;
    size_t begin = 0;
    for (size_t dot; (dot = key.find('.', begin)) != std::string::npos; begin = dot + 1) {
      place = &(*place)[key.substr(begin, dot - begin)];
    }
    std::visit([&](const auto& v) { (*place)[key.substr(begin)] = v; }, value);
  }
  return root;
}

}  // namespace

std::string Report::json() const {
  return object(entries_).dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string Report::json_line() const {
  return object(entries_).dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

void Report::print(bool as_json) const {
  const std::string out = as_json ? json() : text();
  std::fwrite(out.data(), 1, out.size(), stdout);
}

}  // namespace ascore::tools
