#pragma once

#include "kernels/core/shape.hpp"

#include <cstdint>

namespace ascore::kernels {

inline constexpr double kStandardizeEpsilon = 1e-10;

/// Elements whose moments are taken together.
inline constexpr int64_t kStandardizeRun = 4096;

inline int64_t standardize_runs(const Shape& x) {
  return (x.count() + kStandardizeRun - 1) / kStandardizeRun;
}

}  // namespace ascore::kernels
