#pragma once

#include "kernels/core/channel_sums.hpp"
#include "kernels/core/dtype.hpp"

#include <algorithm>
#include <cstdint>

namespace ascore::kernels::cpu {

/// The moments of a run of `length` pixels of C channels each (kernels/core/run_moments.hpp) whose values, not yet
/// rounded to T, are `values`: means to `moments`, squares behind them.
template <class T>
void measure_run(const accumulator_t<T>* values, int64_t length, int64_t C, accumulator_t<T>* moments) {
  using Acc = accumulator_t<T>;
  for (int64_t first = 0; first < C; first += kChannelTile) {
    const int64_t width = std::min(kChannelTile, C - first);
    const auto value = [=](int64_t p, int64_t i) { return widen(narrow<T>(values[p * C + first + i])); };
    double sums[kChannelTile];
    channel_sums<Acc>(length, width, value, sums);
    Acc mean[kChannelTile];
    for (int64_t i = 0; i < width; ++i) {
      moments[first + i] = mean[i] = static_cast<Acc>(sums[i] / static_cast<double>(length));
    }
    const Acc* const middle = mean;
    const auto square = [=](int64_t p, int64_t i) {
      const Acc d = value(p, i) - middle[i];
      return d * d;
    };
    channel_sums<Acc>(length, width, square, sums);
    for (int64_t i = 0; i < width; ++i) moments[C + first + i] = static_cast<Acc>(sums[i]);
  }
}

}  // namespace ascore::kernels::cpu
