#include "kernels/attention/attention_sizes.hpp"
#include "kernels/attention/weighted_sum.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kTileColumns = WeightedSumTile::kColumns / 8;  ///< groups of 8 in a thread's sums

/// Combines the values of the four threads that share rows of sums.
template <class Combine>
__device__ __forceinline__ float quad_reduce(float value, Combine combine) {
  value = combine(value, __shfl_xor_sync(kFullWarp, value, 1));
  return combine(value, __shfl_xor_sync(kFullWarp, value, 2));
}
__device__ __forceinline__ float quad_max(float value) {
  return quad_reduce(value, [](float a, float b) { return fmaxf(a, b); });
}
__device__ __forceinline__ float quad_sum(float value) {
  return quad_reduce(value, [](float a, float b) { return a + b; });
}

/// Multiplies the sums of the thread's row `half`.
template <int Parts>
__device__ __forceinline__ void scale_row(RowSums (&out)[Parts], int half, float factor) {
#pragma unroll
  for (int part = 0; part < Parts; ++part) {
#pragma unroll
    for (int j = 0; j < kTileColumns; ++j) {
      eight(out[part], j)[2 * half] *= factor;
      eight(out[part], j)[2 * half + 1] *= factor;
    }
  }
}

/// y: weights relative to the highest score so far; the rest is made up for at the end.
struct OnlineSoftmax {
  static constexpr bool kSlopes = false;
  float* lse;  ///< [images, rows], or null
  float top[2], sum[2];

  template <class In>
  __device__ __forceinline__ void begin(const In&, const WeightedSumPlace&) {
    top[0] = top[1] = -HUGE_VALF;
    sum[0] = sum[1] = 0;
  }

  template <class In, class OutSums>
  __device__ __forceinline__ void weigh(const In& in, const WeightedSumPlace&, int first_column, RowSums& scores,
                                        const RowSums&, OutSums& out) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float highest = top[half];
#pragma unroll
      for (int j = 0; j < kTileColumns; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& score = eight(scores, j)[2 * half + e];
          score = WeightedSumPlace::column_of(first_column, j, e) < in.columns ? in.scale * score : -HUGE_VALF;
          highest = fmaxf(highest, score);
        }
      }
      highest = quad_max(highest);
      const float keep = expf(top[half] - highest);
      float added = 0;  // of this thread's columns; the four are added at the end
#pragma unroll
      for (int j = 0; j < kTileColumns; ++j) {
#pragma unroll
        for (int e = 0; e < 2; ++e) {
          float& score = eight(scores, j)[2 * half + e];
          score = expf(score - highest);
          added += score;
        }
      }
      sum[half] = sum[half] * keep + added;
      top[half] = highest;
      scale_row(out, half, keep);
    }
  }

  template <class In, class OutSums>
  __device__ __forceinline__ void finish(const In& in, const WeightedSumPlace& place, OutSums& out) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const float total = quad_sum(sum[half]);
      scale_row(out, half, 1 / total);
      const int row = place.row_of(half);
      if (lse && place.first_element == 0 && threadIdx.x % 4 == 0 && row < in.rows) {
        lse[place.image * in.rows + row] = top[half] + logf(total);
      }
    }
  }
};

/// p = exp(score - lse), the weights of dv; with slopes scale p (slope - delta), those of dq and dk. The queries, which
/// lse and delta belong to, are the rows or the columns.
template <bool slopes, bool queries_are_rows>
struct GradientWeights {
  static constexpr bool kSlopes = slopes;
  const float *lse, *delta;  ///< [images, queries]

  template <class In>
  __device__ __forceinline__ void begin(const In&, const WeightedSumPlace&) {}

  template <class In, class OutSums>
  __device__ __forceinline__ void weigh(const In& in, const WeightedSumPlace& place, int first_column, RowSums& scores,
                                        const RowSums& gradients, OutSums&) {
    const int queries = queries_are_rows ? in.rows : in.columns;
    const auto load = [&](const float* statistic, int query) {
      return query < queries ? statistic[place.image * queries + query] : 0.0f;
    };
    float row_lse[2] = {}, row_delta[2] = {};
    if constexpr (queries_are_rows) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        row_lse[half] = load(lse, place.row_of(half));
        if constexpr (slopes) row_delta[half] = load(delta, place.row_of(half));
      }
    }
#pragma unroll
    for (int j = 0; j < kTileColumns; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const int column = WeightedSumPlace::column_of(first_column, j, e);
        const float column_lse = queries_are_rows ? 0.0f : load(lse, column);
        const float column_delta = queries_are_rows || !slopes ? 0.0f : load(delta, column);
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          float& score = eight(scores, j)[2 * half + e];
          const float p = expf(in.scale * score - (queries_are_rows ? row_lse[half] : column_lse));
          float weight = p;
          if constexpr (slopes) {
            const float shift = queries_are_rows ? row_delta[half] : column_delta;
            weight = in.scale * p * (eight(gradients, j)[2 * half + e] - shift);
          }
          score = column < in.columns && place.row_of(half) < in.rows ? weight : 0.0f;
        }
      }
    }
  }

  template <class In, class OutSums>
  __device__ __forceinline__ void finish(const In&, const WeightedSumPlace&, OutSums&) {}
};

constexpr int kDeltaThreads = 256;

/// delta[r] = dy[r].y[r]: a warp per row.
template <class T>
__global__ void delta_kernel(const T* y, const T* dy, float* delta, int64_t rows, int width) {
  const int64_t row = (int64_t(blockIdx.x) * kDeltaThreads + threadIdx.x) / kWarpSize;
  float sum = 0;
  if (row < rows) {
    for (int e = int(threadIdx.x) % kWarpSize; e < width; e += kWarpSize) {
      sum += widen(y[row * width + e]) * widen(dy[row * width + e]);
    }
  }
  sum = warp_reduce(sum, [](float a, float b) { return a + b; });
  if (row < rows && threadIdx.x % kWarpSize == 0) delta[row] = sum;
}

}  // namespace

void attention(Stream& stream, const AttentionSizes& s, const AttentionRows& q, const AttentionRows& k,
               const AttentionRows& v, double scale, MathMode math, View y, View lse) {
  for_float_type(y.dtype(), [&]<class T>() {
    WeightedSum<T> sum{};
    sum.scores = {q.as<T>(), k.as<T>(), q.pitch, k.pitch, s.key_width};
    sum.values = v.as<T>(), sum.value_pitch = v.pitch;
    sum.out = y.as<T>(), sum.out_pitch = s.value_width;
    sum.rows = s.queries, sum.columns = s.keys, sum.width = s.value_width;
    sum.scale = static_cast<float>(scale);
    weighted_sum(stream, s.images, sum, OnlineSoftmax{lse.as<float>(), {}, {}}, math);
  });
}

void attention_backward(Stream& stream, const AttentionSizes& s, const AttentionRows& q, const AttentionRows& k,
                        const AttentionRows& v, double scale, ConstView y, ConstView lse, ConstView dy, MathMode math,
                        const AttentionGradient& dq, const AttentionGradient& dk, const AttentionGradient& dv,
                        View workspace) {
  for_float_type(y.dtype(), [&]<class T>() {
    float* const delta = reinterpret_cast<float*>(workspace.as<uint8_t>());
    const int64_t queries = s.images * s.queries;
    if (dq || dk) {
      launch(delta_kernel<T>, blocks_for(queries * kWarpSize, kDeltaThreads), kDeltaThreads, 0, stream, y.as<T>(),
             dy.as<T>(), delta, queries, s.value_width);
    }
    WeightedSum<T> sum{};
    sum.scale = static_cast<float>(scale);
    if (dq) {
      sum.scores = {q.as<T>(), k.as<T>(), q.pitch, k.pitch, s.key_width};
      sum.slopes = {dy.as<T>(), v.as<T>(), s.value_width, v.pitch, s.value_width};
      sum.values = k.as<T>(), sum.value_pitch = k.pitch;
      sum.out = dq.as<T>(), sum.out_pitch = dq.pitch;
      sum.rows = s.queries, sum.columns = s.keys, sum.width = s.key_width;
      weighted_sum(stream, s.images, sum, GradientWeights<true, true>{lse.as<float>(), delta}, math);
    }
    sum.rows = s.keys, sum.columns = s.queries;
    sum.scores = {k.as<T>(), q.as<T>(), k.pitch, q.pitch, s.key_width};
    if (dv) {
      sum.slopes = {};
      sum.values = dy.as<T>(), sum.value_pitch = s.value_width;
      sum.out = dv.as<T>(), sum.out_pitch = dv.pitch;
      sum.width = s.value_width;
      weighted_sum(stream, s.images, sum, GradientWeights<false, false>{lse.as<float>(), nullptr}, math);
    }
    if (dk) {
      sum.slopes = {v.as<T>(), dy.as<T>(), v.pitch, s.value_width, s.value_width};
      sum.values = q.as<T>(), sum.value_pitch = q.pitch;
      sum.out = dk.as<T>(), sum.out_pitch = dk.pitch;
      sum.width = s.key_width;
      weighted_sum(stream, s.images, sum, GradientWeights<true, false>{lse.as<float>(), delta}, math);
    }
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
