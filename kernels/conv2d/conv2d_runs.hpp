#pragma once

#include "kernels/core/channel_sums.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/dtype.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/view.hpp"

#include <algorithm>
#include <cstdint>

namespace ascore::kernels::cpu {

/// The moments of a run of `length` pixels of C channels each (kernels/core/run_moments.hpp) whose values, perhaps not
/// yet rounded to T, are `values`: means to `moments`, squares behind them.
template <class T, class Value>
void measure_run(const Value* values, int64_t length, int64_t C, accumulator_t<T>* moments) {
  using Acc = accumulator_t<T>;
  for (int64_t first = 0; first < C; first += kChannelTile) {
    const int64_t width = std::min(kChannelTile, C - first);
    const auto value = [=](int64_t p, int64_t i) { return widen(narrow<T>(widen(values[p * C + first + i]))); };
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

/// The moments of images that are stored: `runs` [N,S,2,C] of `values` [N,H,W,C], by runs of `length` pixels.
inline void measure_runs(Stream& stream, ConstView values, int64_t length, View runs) {
  for_float_type(values.dtype(), [&]<class T>() {
    const int64_t C = values.dim(3);
    parallel_for(stream, runs.dim(0) * runs.dim(1), 2, [&](int64_t run) {
      measure_run<T>(values.as<T>() + run * length * C, length, C, runs.as<accumulator_t<T>>() + run * 2 * C);
    });
  });
}

}  // namespace ascore::kernels::cpu
