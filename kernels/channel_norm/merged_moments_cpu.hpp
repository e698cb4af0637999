#pragma once

#include "kernels/core/channel_sums.hpp"

#include <cstdint>

namespace ascore::kernels::cpu {

/// Means, and sums of squares about them, of `width` channels (at most kChannelTile) of an image of P pixels, from the
/// moments of its S runs [S,2,C], the first channel's of which `from` points to (Chan, Golub & LeVeque 1983, for equal
/// counts).
template <class Acc>
void merge_runs(const Acc* from, int64_t S, int64_t P, int64_t C, int64_t width, double* mean, double* squares) {
  channel_sums<double>(
      S, width, [=](int64_t s, int64_t i) { return static_cast<double>(from[s * 2 * C + i]); }, mean);
  for (int64_t i = 0; i < width; ++i) mean[i] /= static_cast<double>(S);
  const auto length = static_cast<double>(P / S);
  const auto square = [=](int64_t s, int64_t i) {
    const double d = static_cast<double>(from[s * 2 * C + i]) - mean[i];
    return static_cast<double>(from[(s * 2 + 1) * C + i]) + length * d * d;
  };
  channel_sums<double>(S, width, square, squares);
}

}  // namespace ascore::kernels::cpu
