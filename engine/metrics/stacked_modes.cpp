#include "engine/metrics/stacked_modes.hpp"

#include "kernels/core/error.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

StackedModes stacked_modes(std::span<const int64_t> labels) {
  if (labels.empty()) throw DataError("stacked modes: no samples");
  std::array<int64_t, StackedModes::kModes> counts{};
  for (const int64_t label : labels) {
    if (label < 0 || label >= StackedModes::kModes) {
      throw DataError(fmt::format("stacked modes: mode {} is none of 0 to {}", label, StackedModes::kModes - 1));
    }
    ++counts[static_cast<size_t>(label)];
  }
  StackedModes result;
  for (const int64_t count : counts) {
    if (count == 0) continue;
    ++result.modes;
    const double share = static_cast<double>(count) / static_cast<double>(labels.size());
    result.divergence += share * std::log(StackedModes::kModes * share);
  }
  return result;
}

}  // namespace ascore
