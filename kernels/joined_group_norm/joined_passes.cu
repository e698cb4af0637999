#include "kernels/channel_norm/fused_activation.hpp"
#include "kernels/channel_norm/statistics_layout.hpp"
#include "kernels/core/channel_tile.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/joined_group_norm/joined_passes.hpp"

#include <cmath>

/// A thread works on one channel, and finds out once which image has it: the loops are those of one image.
namespace ascore::kernels::ASCORE_BACKEND {

namespace {

struct Math {
  static __device__ float exp(float x) { return expf(x); }
};

/// A channel of an image: its pixel p is at[p * pitch].
template <class T>
struct Channel {
  T* at;
  int64_t pitch;
  __device__ T& operator[](int64_t p) const { return at[p * pitch]; }
};

/// Two images side by side; each may be null where it is only optional.
template <class T>
struct Joined {
  T *a, *b;
  int64_t A, B;

  __device__ int64_t channels() const { return A + B; }
  /// Channel c of image n.
  __device__ Channel<T> operator()(int64_t n, int64_t c, int64_t P) const {
    T* const image = c < A ? a : b;
    const int64_t pitch = c < A ? A : B;
    return {image ? image + n * P * pitch + (c < A ? c : c - A) : nullptr, pitch};
  }
};
template <class T>
Joined<const T> joined(ConstView a, ConstView b, int64_t A, int64_t B) {
  return {a.as<T>(), b.as<T>(), A, B};
}

struct NormalizerPointers {
  const float *mean, *rstd, *gamma, *beta;
  StatisticsLayout layout;
  NormalizerPointers(const JoinedNormalizer& by, int64_t C)
      : mean(by.mean.as<float>()),
        rstd(by.rstd.as<float>()),
        gamma(by.gamma.as<float>()),
        beta(by.beta.as<float>()),
        layout(by.rstd, C) {}
};

/// The normalisation of one channel: xhat = (x - mean) rstd, z = gamma xhat + beta.
struct Normalizer {
  int64_t statistic;
  float mean, rstd, gamma, beta;
  __device__ Normalizer(const NormalizerPointers& from, int64_t n, int64_t c)
      : statistic(from.layout(n, c)),
        mean(from.mean[statistic]),
        rstd(from.rstd[statistic]),
        gamma(from.gamma ? from.gamma[c] : 1.0f),
        beta(from.beta ? from.beta[c] : 0.0f) {}
};

/// Block (tile, n): the moments of 32 channels of image n.
template <class T>
__global__ void joined_moments_kernel(Joined<const T> x, float* mean, float* squares, int64_t P, int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x, C = x.channels();
  const Channel<const T> from = x(n, c < C ? c : 0, P);
  const ChannelMoments moments = channel_moments_of(from.at, c < C, P, from.pitch, scratch);
  if (c >= C || threadIdx.y != 0) return;
  mean[n * C + c] = moments.mean;
  squares[n * C + c] = moments.squares;
}

template <class T, class F>
__global__ void joined_norm_kernel(F f, Joined<const T> x, NormalizerPointers pointers, T* y, int64_t P, int64_t tiles,
                                   int64_t chunks) {
  const TilePlace at(P, tiles, chunks);
  const int64_t C = x.channels();
  if (at.c >= C) return;
  const Normalizer by(pointers, at.n, at.c);
  const Channel<const T> from = x(at.n, at.c, P);
  const float factor = by.gamma * by.rstd;
  for (int64_t p = at.begin; p < at.end; p += kTileLanes) {
    y[(at.n * P + p) * C + at.c] = narrow<T>(f((widen(from[p]) - by.mean) * factor + by.beta));
  }
}

/// Block (tile, n): both sums of 32 channels of image n.
template <class T, class F>
__global__ void joined_sums_kernel(F f, Joined<const T> x, const T* dy, NormalizerPointers pointers, float* sum_g,
                                   float* sum_gx, int64_t P, int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x, C = x.channels();
  float total_g = 0, total_gx = 0;
  if (c < C && P > 0) {
    const Normalizer by(pointers, n, c);
    const Channel<const T> from = x(n, c, P);
    for (int64_t p = threadIdx.y; p < P; p += kTileLanes) {
      const float xhat = (widen(from[p]) - by.mean) * by.rstd;
      const float g = widen(dy[(n * P + p) * C + c]) * f.slope(by.gamma * xhat + by.beta);
      total_g += g;
      total_gx += g * xhat;
    }
  }
  total_g = lane_sum(total_g, scratch);
  total_gx = lane_sum(total_gx, scratch);
  if (c >= C || threadIdx.y != 0) return;
  sum_g[n * C + c] = total_g;
  sum_gx[n * C + c] = total_gx;
}

template <class T, class F>
__global__ void joined_gradient_kernel(F f, Joined<const T> x, const T* dy, NormalizerPointers pointers,
                                       const float* offset, const float* slope, Joined<const T> residual, Joined<T> dx,
                                       int64_t P, int64_t tiles, int64_t chunks) {
  const TilePlace at(P, tiles, chunks);
  const int64_t C = x.channels();
  if (at.c >= C) return;
  const Channel<T> to = dx(at.n, at.c, P);
  if (!to.at) return;
  const Normalizer by(pointers, at.n, at.c);
  const Channel<const T> from = x(at.n, at.c, P), more = residual(at.n, at.c, P);
  const float factor = by.gamma * by.rstd, shift = offset[by.statistic], tilt = slope[by.statistic];
  for (int64_t p = at.begin; p < at.end; p += kTileLanes) {
    const float xhat = (widen(from[p]) - by.mean) * by.rstd;
    const float g = widen(dy[(at.n * P + p) * C + at.c]) * f.slope(by.gamma * xhat + by.beta);
    const float gradient = (factor * g - shift) - tilt * xhat;
    to[p] = narrow<T>(more.at ? gradient + widen(more[p]) : gradient);
  }
}

/// The work on joined images: how many blocks, and of what.
struct Grid {
  int64_t P, C, tiles, chunks;
  dim3 by_image, by_chunk;

  Grid(ConstView a, ConstView b)
      : P(a.dim(1) * a.dim(2)),
        C(a.dim(3) + b.dim(3)),
        tiles(channel_tiles(C)),
        chunks(pixel_chunks(P)),
        by_image(static_cast<unsigned>(a.dim(0) * tiles)),
        by_chunk(static_cast<unsigned>(a.dim(0) * tiles * chunks)) {}
};

}  // namespace

void joined_moments(Stream& stream, ConstView a, ConstView b, View mean, View squares) {
  for_float_type(a.dtype(), [&]<class T>() {
    const Grid grid(a, b);
    launch(joined_moments_kernel<T>, grid.by_image, tile_block(), 0, stream, joined<T>(a, b, a.dim(3), b.dim(3)),
           mean.as<float>(), squares.as<float>(), grid.P, grid.tiles);
  });
}

void joined_norm(Stream& stream, ConstView a, ConstView b, const JoinedNormalizer& by, View y) {
  for_float_type(a.dtype(), [&]<class T>() {
    const Grid grid(a, b);
    for_fused_activation<Math>(by.activation, [&](auto f) {
      launch(joined_norm_kernel<T, decltype(f)>, grid.by_chunk, tile_block(), 0, stream, f,
             joined<T>(a, b, a.dim(3), b.dim(3)), NormalizerPointers(by, grid.C), y.as<T>(), grid.P, grid.tiles,
             grid.chunks);
    });
  });
}

void joined_sums(Stream& stream, ConstView a, ConstView b, ConstView dy, const JoinedNormalizer& by, View sum_g,
                 View sum_gx) {
  for_float_type(a.dtype(), [&]<class T>() {
    const Grid grid(a, b);
    for_fused_activation<Math>(by.activation, [&](auto f) {
      launch(joined_sums_kernel<T, decltype(f)>, grid.by_image, tile_block(), 0, stream, f,
             joined<T>(a, b, a.dim(3), b.dim(3)), dy.as<T>(), NormalizerPointers(by, grid.C), sum_g.as<float>(),
             sum_gx.as<float>(), grid.P, grid.tiles);
    });
  });
}

void joined_gradient(Stream& stream, ConstView a, ConstView b, ConstView dy, const JoinedNormalizer& by,
                     ConstView offset, ConstView slope, ConstView residual_a, ConstView residual_b, View da, View db) {
  for_float_type(a.dtype(), [&]<class T>() {
    const Grid grid(a, b);
    const int64_t A = a.dim(3), B = b.dim(3);
    for_fused_activation<Math>(by.activation, [&](auto f) {
      launch(joined_gradient_kernel<T, decltype(f)>, grid.by_chunk, tile_block(), 0, stream, f, joined<T>(a, b, A, B),
             dy.as<T>(), NormalizerPointers(by, grid.C), offset.as<float>(), slope.as<float>(),
             joined<T>(residual_a, residual_b, A, B), Joined<T>{da.as<T>(), db.as<T>(), A, B}, grid.P, grid.tiles,
             grid.chunks);
    });
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
