#include "tools/validators.hpp"

#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

/// All of `text` as a number.
template <class T>
std::optional<T> parsed(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

CLI::Validator whole_number(int64_t low, int64_t high) {
  const bool open = high == std::numeric_limits<int64_t>::max();
  const std::string wanted = open ? fmt::format("of at least {}", low) : fmt::format("from {} to {}", low, high);
  const auto check = [low, high, wanted](std::string& text) -> std::string {
    const auto value = parsed<int64_t>(text);
    if (value && *value >= low && *value <= high) return {};
    return fmt::format("must be a whole number {}, not '{}'", wanted, text);
  };
  return {check, ""};
}

CLI::Validator positive_number() {
  const auto check = [](std::string& text) -> std::string {
    const auto value = parsed<double>(text);
    if (value && std::isfinite(*value) && *value > 0) return {};
    return fmt::format("must be a number above 0, not '{}'", text);
  };
  return {check, ""};
}

}  // namespace ascore::tools
