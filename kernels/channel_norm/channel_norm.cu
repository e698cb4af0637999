#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/fused_activation.hpp"
#include "kernels/channel_norm/normalizer.hpp"
#include "kernels/core/channel_tile.hpp"
#include "kernels/core/kernel.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Block (tile, n): the moments of 32 channels of image n.
template <class T>
__global__ void channel_moments_kernel(const T* x, float* mean, float* squares, int64_t P, int64_t C, int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x;
  const ChannelMoments moments = channel_moments_of(x + n * P * C + c, c < C, P, C, scratch);
  if (c >= C || threadIdx.y != 0) return;
  mean[n * C + c] = moments.mean;
  squares[n * C + c] = moments.squares;
}

template <class T, class F>
__global__ void channel_norm_kernel(F f, const T* x, NormalizerPointers pointers, T* y, int64_t P, int64_t C,
                                    int64_t tiles, int64_t chunks) {
  const TilePlace at(P, tiles, chunks);
  if (at.c >= C) return;
  const Normalizer by(pointers, at.n, at.c);
  const float factor = by.gamma * by.rstd;
  for (int64_t p = at.begin; p < at.end; p += kTileLanes) {
    const int64_t i = (at.n * P + p) * C + at.c;
    y[i] = narrow<T>(f((widen(x[i]) - by.mean) * factor + by.beta));
  }
}

/// Block (tile, n): both sums of 32 channels of image n.
template <class T, class F>
__global__ void channel_norm_sums_kernel(F f, const T* x, const T* dy, NormalizerPointers pointers, float* sum_g,
                                         float* sum_gx, int64_t P, int64_t C, int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x;
  float total_g = 0, total_gx = 0;
  if (c < C && P > 0) {
    const Normalizer by(pointers, n, c);
    for (int64_t p = threadIdx.y; p < P; p += kTileLanes) {
      const int64_t i = (n * P + p) * C + c;
      const float xhat = (widen(x[i]) - by.mean) * by.rstd;
      const float g = widen(dy[i]) * f.slope(by.gamma * xhat + by.beta);
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
__global__ void channel_norm_gradient_kernel(F f, const T* x, const T* dy, NormalizerPointers pointers,
                                             const float* offset, const float* slope, const T* residual, T* dx,
                                             int64_t P, int64_t C, int64_t tiles, int64_t chunks) {
  const TilePlace at(P, tiles, chunks);
  if (at.c >= C) return;
  const Normalizer by(pointers, at.n, at.c);
  const int64_t statistic = pointers.layout(at.n, at.c);
  const float factor = by.gamma * by.rstd;
  const float shift = offset ? offset[statistic] : 0.0f, tilt = slope ? slope[statistic] : 0.0f;
  for (int64_t p = at.begin; p < at.end; p += kTileLanes) {
    const int64_t i = (at.n * P + p) * C + at.c;
    const float xhat = (widen(x[i]) - by.mean) * by.rstd;
    const float g = widen(dy[i]) * f.slope(by.gamma * xhat + by.beta);
    const float gradient = (factor * g - shift) - tilt * xhat;
    dx[i] = narrow<T>(residual ? gradient + widen(residual[i]) : gradient);
  }
}

/// Block of 32 channels: their sums over the images, which the lanes share.
__global__ void image_sums_kernel(const float* sums, float* total, int64_t N, int64_t C) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t c = int64_t(blockIdx.x) * kTileChannels + threadIdx.x;
  float sum = 0;
  for (int64_t n = threadIdx.y; c < C && n < N; n += kTileLanes) sum += sums[n * C + c];
  sum = lane_sum(sum, scratch);
  if (c < C && threadIdx.y == 0) total[c] = sum;
}

/// The work on images of one shape: how many blocks, and of what.
struct Grid {
  int64_t P, C, tiles, chunks;
  dim3 by_image, by_chunk;

  explicit Grid(const Shape& x)
      : P(x[1] * x[2]),
        C(x[3]),
        tiles(channel_tiles(C)),
        chunks(pixel_chunks(P)),
        by_image(static_cast<unsigned>(x[0] * tiles)),
        by_chunk(static_cast<unsigned>(x[0] * tiles * chunks)) {}
};

}  // namespace

void channel_moments(Stream& stream, ConstView x, View mean, View squares) {
  for_float_type(x.dtype(), [&]<class T>() {
    const Grid grid(x.shape());
    launch(channel_moments_kernel<T>, grid.by_image, tile_block(), 0, stream, x.as<T>(), mean.as<float>(),
           squares.as<float>(), grid.P, grid.C, grid.tiles);
  });
}

void channel_norm(Stream& stream, ConstView x, ConstView mean, ConstView rstd, ConstView gamma, ConstView beta,
                  Activation activation, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    const Grid grid(x.shape());
    for_fused_activation<NormMath>(activation, [&](auto f) {
      launch(channel_norm_kernel<T, decltype(f)>, grid.by_chunk, tile_block(), 0, stream, f, x.as<T>(),
             NormalizerPointers(mean, rstd, gamma, beta, grid.C), y.as<T>(), grid.P, grid.C, grid.tiles, grid.chunks);
    });
  });
}

void channel_norm_sums(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                       ConstView beta, Activation activation, View sum_g, View sum_gx) {
  for_float_type(x.dtype(), [&]<class T>() {
    const Grid grid(x.shape());
    for_fused_activation<NormMath>(activation, [&](auto f) {
      launch(channel_norm_sums_kernel<T, decltype(f)>, grid.by_image, tile_block(), 0, stream, f, x.as<T>(), dy.as<T>(),
             NormalizerPointers(mean, rstd, gamma, beta, grid.C), sum_g.as<float>(), sum_gx.as<float>(), grid.P, grid.C,
             grid.tiles);
    });
  });
}

void channel_norm_gradient(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                           ConstView beta, Activation activation, ConstView offset, ConstView slope, View dx,
                           ConstView residual) {
  for_float_type(x.dtype(), [&]<class T>() {
    const Grid grid(x.shape());
    for_fused_activation<NormMath>(activation, [&](auto f) {
      launch(channel_norm_gradient_kernel<T, decltype(f)>, grid.by_chunk, tile_block(), 0, stream, f, x.as<T>(),
             dy.as<T>(), NormalizerPointers(mean, rstd, gamma, beta, grid.C), offset.as<float>(), slope.as<float>(),
             residual.as<T>(), dx.as<T>(), grid.P, grid.C, grid.tiles, grid.chunks);
    });
  });
}

void image_sums(Stream& stream, ConstView sums, View total) {
  const int64_t N = sums.dim(0), C = sums.dim(1);
  launch(image_sums_kernel, dim3(static_cast<unsigned>(channel_tiles(C))), tile_block(), 0, stream, sums.as<float>(),
         total.as<float>(), N, C);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
