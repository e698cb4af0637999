#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/wave_embedding/wave_embedding.hpp"

#include <cmath>

namespace ascore::kernels::functions {

ASCORE_HOST_DEVICE inline double level_place(const LevelScale& scale, double sigma) {
  const double last = static_cast<double>(scale.levels - 1);
  if (scale.linear) return last * (scale.begin - sigma) / (scale.begin - scale.end);
  return last * std::log(sigma / scale.begin) / std::log(scale.end / scale.begin);
}

/// f_k of `half` frequencies.
ASCORE_HOST_DEVICE inline double frequency(double longest, int64_t k, int64_t half) {
  return std::exp(-std::log(longest) * static_cast<double>(k) / static_cast<double>(half - 1));
}

}  // namespace ascore::kernels::functions
