#pragma once

#include "kernels/core/dtype.hpp"

#include <algorithm>
#include <cstdint>

namespace ascore::kernels::cpu {

/// Channels that a loop over pixels of an NHWC image takes together: their sums stay in the first-level cache.
inline constexpr int64_t kChannelTile = 64;

/// sums[i] = sum over p in [0, pixels) of term(p, i), for i in [0, width), width <= kChannelTile. Runs of 64 pixels are
/// summed in Acc, vectorised over i; the runs in f64. The order depends on nothing but `pixels`.
template <class Acc, class Term>
void channel_sums(int64_t pixels, int64_t width, Term&& term, double* sums) {
  constexpr int64_t kRun = 64;
  std::fill(sums, sums + width, 0.0);
  for (int64_t begin = 0; begin < pixels; begin += kRun) {
    const int64_t end = std::min(pixels, begin + kRun), fours = begin + (end - begin) / 4 * 4;
    alignas(64) Acc run[kChannelTile] = {};
    for (int64_t p = begin; p < fours; p += 4) {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) {
        run[i] += (term(p, i) + term(p + 1, i)) + (term(p + 2, i) + term(p + 3, i));
      }
    }
    for (int64_t p = fours; p < end; ++p) {
#pragma omp simd
      for (int64_t i = 0; i < width; ++i) run[i] += term(p, i);
    }
    for (int64_t i = 0; i < width; ++i) sums[i] += static_cast<double>(run[i]);
  }
}

}  // namespace ascore::kernels::cpu
