#include "tools/profile/byte_size.hpp"

#include "kernels/core/error.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include <fmt/format.h>

namespace ascore::tools {

namespace {
constexpr std::array<std::pair<std::string_view, double>, 8> kUnits{{{"", 1},
                                                                     {"B", 1},
                                                                     {"kB", 1e3},
                                                                     {"MB", 1e6},
                                                                     {"GB", 1e9},
                                                                     {"KiB", 1024.0},
                                                                     {"MiB", 1048576.0},
                                                                     {"GiB", 1073741824.0}}};
constexpr double kLargest = 1e18;
}  // namespace

size_t parse_byte_size(std::string_view option, const std::string& text) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  std::string_view unit(end);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const auto& [name, factor] : kUnits) {
    const double bytes = number * factor;
    if (unit == name && end != text.c_str() && bytes >= 1 && bytes <= kLargest) return static_cast<size_t>(bytes);
  }
  throw ConfigError(fmt::format("{} {}: is no amount of memory; write 24GiB, 500MiB or 8GB", option, text));
}

std::string shown_bytes(double bytes) {
  if (std::abs(bytes) >= 1073741824.0) return fmt::format("{:.2f} GiB", bytes / 1073741824.0);
  if (std::abs(bytes) >= 1048576.0) return fmt::format("{:.1f} MiB", bytes / 1048576.0);
  if (std::abs(bytes) >= 1024.0) return fmt::format("{:.1f} KiB", bytes / 1024.0);
  return fmt::format("{:.0f} B", bytes);
}

}  // namespace ascore::tools
