#include "kernels/activation/device_math.hpp"
#include "kernels/core/channel_tile.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/core/run_moments_device.hpp"
#include "kernels/instance_norm_plus/instance_norm_plus.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;
constexpr float kEpsilon = 1e-5f;

/// Block (tile, n): mean and 1/sqrt(var + eps) of 32 channels of image n; from the moments of x's runs if they are
/// given (not null), else from x.
template <class T>
__global__ void statistics_kernel(const T* x, const float* runs, int64_t S, float* mean, float* rstd, int64_t P,
                                  int64_t C, int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x;
  const bool inside = c < C;
  const ChannelMoments moments = runs ? merged_moments_of(runs + n * S * 2 * C + c, inside, S, P, C, scratch)
                                      : channel_moments_of(x + n * P * C + c, inside, P, C, scratch);
  if (inside && threadIdx.y == 0) {
    mean[n * C + c] = moments.mean;
    rstd[n * C + c] = 1.0f / sqrtf(moments.squares / static_cast<float>(P) + kEpsilon);
  }
}

/// Block n: mean and 1/sqrt(unbiased variance + eps) of the channels' means.
__global__ void channels_kernel(const float* mean, float* channels, int64_t C) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  const float* const mu = mean + int64_t(blockIdx.x) * C;
  float sum = 0, squares = 0;
  for (int64_t c = threadIdx.x; c < C; c += kThreads) sum += mu[c];
  const float m = block_sum<kThreads>(sum, scratch) / static_cast<float>(C);
  for (int64_t c = threadIdx.x; c < C; c += kThreads) squares += (mu[c] - m) * (mu[c] - m);
  const float v = block_sum<kThreads>(squares, scratch) / static_cast<float>(C - 1);
  if (threadIdx.x == 0) {
    channels[2 * int64_t(blockIdx.x)] = m;
    channels[2 * int64_t(blockIdx.x) + 1] = 1.0f / sqrtf(v + kEpsilon);
  }
}

template <class T>
__global__ void apply_kernel(const T* x, const float* gamma, const float* alpha, const float* beta, const float* mean,
                             const float* rstd, const float* channels, Activation activation, float slope, T* y,
                             int64_t P, int64_t C, int64_t tiles, int64_t chunks) {
  const TilePlace at(P, tiles, chunks);
  if (at.c >= C) return;
  const float mu = mean[at.n * C + at.c], t = (mu - channels[2 * at.n]) * channels[2 * at.n + 1];
  const float factor = gamma[at.c] * rstd[at.n * C + at.c], shift = gamma[at.c] * (alpha[at.c] * t) + beta[at.c];
  for_activation_in_kernel(activation, slope, [&](auto f) {
    for (int64_t p = at.begin; p < at.end; p += kTileLanes) {
      const int64_t i = (at.n * P + p) * C + at.c;
      y[i] = narrow<T>(f((widen(x[i]) - mu) * factor + shift));
    }
  });
}

/// Block (tile, n): S1 = sum dy and S2 = sum dy (x - mu) rstd of 32 channels of image n.
template <class T>
__global__ void gradient_sums_kernel(const T* x, const T* dy, const float* mean, const float* rstd, float* sum_dy,
                                     float* sum_dy_xhat, int64_t P, int64_t C, int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x;
  const bool inside = c < C;
  const float mu = inside ? mean[n * C + c] : 0.0f;
  float sum = 0, product = 0;
  for (int64_t p = threadIdx.y; inside && p < P; p += kTileLanes) {
    const int64_t i = (n * P + p) * C + c;
    const float g = widen(dy[i]);
    sum += g;
    product += g * (widen(x[i]) - mu);
  }
  sum = lane_sum(sum, scratch);
  product = lane_sum(product, scratch);
  if (inside && threadIdx.y == 0) {
    sum_dy[n * C + c] = sum;
    sum_dy_xhat[n * C + c] = product * rstd[n * C + c];
  }
}

/// Block n: the part of dx that comes through the channels' means.
__global__ void gradient_shift_kernel(const float* gamma, const float* alpha, const float* mean, const float* channels,
                                      const float* sum_dy, float* shift, int64_t P, int64_t C) {
  float* const scratch = shared_array<float, kThreads / kWarpSize>();
  const int64_t n = blockIdx.x, row = n * C;
  const float m = channels[2 * n], rstd_m = channels[2 * n + 1];
  float sum = 0, product = 0;
  for (int64_t c = threadIdx.x; c < C; c += kThreads) {
    const float g = gamma[c] * alpha[c] * sum_dy[row + c];
    sum += g;
    product += g * ((mean[row + c] - m) * rstd_m);
  }
  const float average = block_sum<kThreads>(sum, scratch) / static_cast<float>(C);
  const float slope = block_sum<kThreads>(product, scratch) / static_cast<float>(C - 1);
  for (int64_t c = threadIdx.x; c < C; c += kThreads) {
    const float g = gamma[c] * alpha[c] * sum_dy[row + c], t = (mean[row + c] - m) * rstd_m;
    const float through_mean = rstd_m * (g - average - t * slope);
    shift[row + c] = through_mean / static_cast<float>(P);
  }
}

template <class T>
__global__ void gradient_apply_kernel(const T* x, const T* dy, const float* gamma, const float* mean, const float* rstd,
                                      const float* sum_dy, const float* sum_dy_xhat, const float* shift,
                                      const T* residual, T* dx, int64_t P, int64_t C, int64_t tiles, int64_t chunks) {
  const TilePlace at(P, tiles, chunks);
  if (at.c >= C) return;
  const int64_t row = at.n * C + at.c;
  const float mu = mean[row], factor = gamma[at.c] * rstd[row], constant = shift[row];
  const float average = sum_dy[row] / static_cast<float>(P);
  const float slope = rstd[row] * sum_dy_xhat[row] / static_cast<float>(P);
  for (int64_t p = at.begin; p < at.end; p += kTileLanes) {
    const int64_t i = (at.n * P + p) * C + at.c;
    const float gradient = factor * ((widen(dy[i]) - average) - slope * (widen(x[i]) - mu)) + constant;
    dx[i] = narrow<T>(residual ? gradient + widen(residual[i]) : gradient);
  }
}

/// Block of 32 channels: the parameters' gradients, summed over images in a fixed order.
__global__ void parameter_gradients_kernel(const float* gamma, const float* alpha, const float* mean,
                                           const float* channels, const float* sum_dy, const float* sum_dy_xhat,
                                           float* dgamma, float* dalpha, float* dbeta, int64_t N, int64_t C) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t c = int64_t(blockIdx.x) * kTileChannels + threadIdx.x;
  const bool inside = c < C;
  float to_gamma = 0, to_deviation = 0, to_beta = 0;
  for (int64_t n = threadIdx.y; inside && n < N; n += kTileLanes) {
    const float s1 = sum_dy[n * C + c], t = (mean[n * C + c] - channels[2 * n]) * channels[2 * n + 1];
    to_gamma += sum_dy_xhat[n * C + c];
    to_deviation += t * s1;
    to_beta += s1;
  }
  to_gamma = lane_sum(to_gamma, scratch);
  to_deviation = lane_sum(to_deviation, scratch);
  to_beta = lane_sum(to_beta, scratch);
  if (!inside || threadIdx.y != 0) return;
  if (dgamma) dgamma[c] = to_gamma + alpha[c] * to_deviation;
  if (dalpha) dalpha[c] = gamma[c] * to_deviation;
  if (dbeta) dbeta[c] = to_beta;
}

}  // namespace

void instance_norm_plus_again(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta,
                              ConstView mean, ConstView rstd, ConstView channels, View y, Activation activation,
                              double slope) {
  for_float_type(x.dtype(), [&]<class T>() {
    const int64_t N = x.dim(0), P = x.dim(1) * x.dim(2), C = x.dim(3), tiles = channel_tiles(C);
    const int64_t chunks = pixel_chunks(P);
    launch(apply_kernel<T>, dim3(static_cast<unsigned>(N * tiles * chunks)), tile_block(), 0, stream, x.as<T>(),
           gamma.as<float>(), alpha.as<float>(), beta.as<float>(), mean.as<float>(), rstd.as<float>(),
           channels.as<float>(), activation, slope, y.as<T>(), P, C, tiles, chunks);
  });
}

void instance_norm_plus(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta, View y,
                        View mean, View rstd, View channels, Activation activation, double slope, ConstView runs) {
  for_float_type(x.dtype(), [&]<class T>() {
    const int64_t N = x.dim(0), P = x.dim(1) * x.dim(2), C = x.dim(3), tiles = channel_tiles(C);
    launch(statistics_kernel<T>, dim3(static_cast<unsigned>(N * tiles)), tile_block(), 0, stream, x.as<T>(),
           runs.as<float>(), runs ? runs.dim(1) : 0, mean.as<float>(), rstd.as<float>(), P, C, tiles);
    launch(channels_kernel, dim3(static_cast<unsigned>(N)), kThreads, 0, stream, mean.as<float>(), channels.as<float>(),
           C);
  });
  instance_norm_plus_again(stream, x, gamma, alpha, beta, mean, rstd, channels, y, activation, slope);
}

void instance_norm_plus_backward(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView mean,
                                 ConstView rstd, ConstView channels, ConstView dy, View dx, View dgamma, View dalpha,
                                 View dbeta, View workspace, ConstView residual) {
  for_float_type(x.dtype(), [&]<class T>() {
    const int64_t N = x.count() ? x.dim(0) : 0, P = x.dim(1) * x.dim(2), C = x.dim(3), tiles = channel_tiles(C);
    const int64_t chunks = pixel_chunks(P);
    float* const sum_dy = reinterpret_cast<float*>(workspace.as<uint8_t>());
    float *const sum_dy_xhat = sum_dy + x.dim(0) * C, *const shift = sum_dy_xhat + x.dim(0) * C;
    launch(gradient_sums_kernel<T>, dim3(static_cast<unsigned>(N * tiles)), tile_block(), 0, stream, x.as<T>(),
           dy.as<T>(), mean.as<float>(), rstd.as<float>(), sum_dy, sum_dy_xhat, P, C, tiles);
    if (dgamma || dalpha || dbeta) {
      launch(parameter_gradients_kernel, dim3(static_cast<unsigned>(tiles)), tile_block(), 0, stream, gamma.as<float>(),
             alpha.as<float>(), mean.as<float>(), channels.as<float>(), sum_dy, sum_dy_xhat, dgamma.as<float>(),
             dalpha.as<float>(), dbeta.as<float>(), N, C);
    }
    if (!dx) return;
    launch(gradient_shift_kernel, dim3(static_cast<unsigned>(N)), kThreads, 0, stream, gamma.as<float>(),
           alpha.as<float>(), mean.as<float>(), channels.as<float>(), sum_dy, shift, P, C);
    launch(gradient_apply_kernel<T>, dim3(static_cast<unsigned>(N * tiles * chunks)), tile_block(), 0, stream,
           x.as<T>(), dy.as<T>(), gamma.as<float>(), mean.as<float>(), rstd.as<float>(), sum_dy, sum_dy_xhat, shift,
           residual.as<T>(), dx.as<T>(), P, C, tiles, chunks);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
