#pragma once

#include "kernels/core/channel_tile.hpp"
#include "kernels/core/run_moments.hpp"

#include <bit>

/// The device sides of run_moments.hpp.
namespace ascore::kernels::ASCORE_BACKEND {

/// Where an epilogue that stores a matrix [N P, columns] puts the moments of its runs of rows; null: nowhere.
struct RunMomentsSink {
  float* moments;
  int log_length;  ///< a run has 2^log_length rows

  __device__ __forceinline__ bool wanted() const { return moments != nullptr; }
  __device__ __forceinline__ int length() const { return 1 << log_length; }

  /// Those of the run that begins at row `row`; value(r): what row `row` + r holds at `column`. By two passes, the
  /// second of which also sums up by how far the first missed the mean.
  template <class Value>
  __device__ __forceinline__ void store(int64_t row, int columns, int column, const Value& value) const {
    const float count = static_cast<float>(length());
    float sum = 0, missed = 0, squares = 0;
#pragma unroll 4
    for (int r = 0; r < length(); ++r) sum += value(r);
    const float near = sum / count;
#pragma unroll 4
    for (int r = 0; r < length(); ++r) {
      const float d = value(r) - near;
      missed += d;
      squares += d * d;
    }
    missed /= count;
    float* const to = moments + (row >> log_length) * 2 * columns + column;
    to[0] = near + missed;
    to[columns] = squares - count * missed * missed;
  }
};

/// That of images of `pixels` pixels; `runs` as run_moments.hpp has them, or absent.
inline RunMomentsSink runs_sink(const View& runs, int64_t pixels) {
  return {runs.as<float>(), static_cast<int>(std::bit_width(static_cast<uint64_t>(run_length(pixels)))) - 1};
}

/// The moments of a channel of an image over P pixels, from those of its S runs, the first of which `from` points to;
/// called by the whole block, as channel_moments_of. The lanes share the runs: distances of their means from the first
/// one's, then squares about the mean of all (Chan, Golub & LeVeque 1983, for equal counts).
__device__ __forceinline__ ChannelMoments merged_moments_of(const float* from, bool inside, int64_t S, int64_t P,
                                                            int64_t C, float* scratch) {
  const float first = inside ? from[0] : 0.0f, runs = static_cast<float>(S), length = static_cast<float>(P / S);
  float sum = 0, squares = 0;
  for (int64_t s = threadIdx.y; inside && s < S; s += kTileLanes) sum += from[s * 2 * C] - first;
  const float mean = first + lane_sum(sum, scratch) / runs;
  for (int64_t s = threadIdx.y; inside && s < S; s += kTileLanes) {
    const float d = from[s * 2 * C] - mean;
    squares += from[(s * 2 + 1) * C] + length * d * d;
  }
  return {mean, lane_sum(squares, scratch)};
}

}  // namespace ascore::kernels::ASCORE_BACKEND
