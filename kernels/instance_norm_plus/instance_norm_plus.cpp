#include "kernels/instance_norm_plus/instance_norm_plus.hpp"

#include "kernels/activation/functions.hpp"
#include "kernels/activation/host_math.hpp"
#include "kernels/activation/slope.hpp"
#include "kernels/channel_norm/merged_moments_cpu.hpp"
#include "kernels/core/channel_sums.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/core/run_moments_checks.hpp"

#include <algorithm>
#include <cmath>

namespace ascore::kernels {

namespace simt {
decltype(kernels::instance_norm_plus) instance_norm_plus;
decltype(kernels::instance_norm_plus_again) instance_norm_plus_again;
decltype(kernels::instance_norm_plus_backward) instance_norm_plus_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::instance_norm_plus) instance_norm_plus;
decltype(kernels::instance_norm_plus_again) instance_norm_plus_again;
decltype(kernels::instance_norm_plus_backward) instance_norm_plus_backward;
}  // namespace cuda

namespace cpu {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr int64_t kPixelChunk = 128;

/// What an image is worked on in: tiles of channels, chunks of pixels.
struct Extent {
  int64_t images, pixels, channels;
  explicit Extent(const Shape& x) : images(x.count() ? x[0] : 0), pixels(x[1] * x[2]), channels(x[3]) {}
  int64_t tiles() const { return (channels + kChannelTile - 1) / kChannelTile; }
  int64_t chunks() const { return (pixels + kPixelChunk - 1) / kPixelChunk; }
  int64_t width(int64_t first) const { return std::min(kChannelTile, channels - first); }
};

/// Runs, for every image, by_tile(n, first channel) for all tiles, then by_image(n), then by_chunk(n, begin, end) for
/// all runs of pixels: an image at a time per thread, or, with fewer images than threads, all threads on one image.
template <class ByTile, class ByImage, class ByChunk>
void for_images(Stream& stream, const Extent& extent, ByTile&& by_tile, ByImage&& by_image, ByChunk&& by_chunk) {
  const auto tile = [&](int64_t n, int64_t i) { by_tile(n, i * kChannelTile); };
  const auto chunk = [&](int64_t n, int64_t i) {
    by_chunk(n, i * kPixelChunk, std::min(extent.pixels, (i + 1) * kPixelChunk));
  };
  if (extent.images >= stream.threads()) {
    parallel_for(stream, extent.images, 2, [&](int64_t n) {
      for (int64_t i = 0; i < extent.tiles(); ++i) tile(n, i);
      by_image(n);
      for (int64_t i = 0; i < extent.chunks(); ++i) chunk(n, i);
    });
    return;
  }
  for (int64_t n = 0; n < extent.images; ++n) {
    parallel_for(stream, extent.tiles(), 2, [&](int64_t i) { tile(n, i); });
    by_image(n);
    parallel_for(stream, extent.chunks(), 2, [&](int64_t i) { chunk(n, i); });
  }
}

/// y of pixels [begin, end) of image n, from its statistics.
template <class T>
struct Apply {
  using Acc = accumulator_t<T>;
  Extent extent;
  const T* x;
  const Acc *gamma, *alpha, *beta, *mean, *rstd, *channels;
  T* y;
  Activation activation;
  double slope;

  Apply(ConstView x, ConstView gamma, ConstView alpha, ConstView beta, ConstView mean, ConstView rstd,
        ConstView channels, View y, Activation activation, double slope)
      : extent(x.shape()),
        x(x.as<T>()),
        gamma(gamma.as<Acc>()),
        alpha(alpha.as<Acc>()),
        beta(beta.as<Acc>()),
        mean(mean.as<Acc>()),
        rstd(rstd.as<Acc>()),
        channels(channels.as<Acc>()),
        y(y.as<T>()),
        activation(activation),
        slope(slope) {}

  void operator()(int64_t n, int64_t begin, int64_t end) const {
    const int64_t P = extent.pixels, C = extent.channels;
    const Acc m = channels[2 * n], rstd_m = channels[2 * n + 1];
    for (int64_t first = 0; first < C; first += kChannelTile) {
      const int64_t width = extent.width(first);
      Acc factor[kChannelTile], shift[kChannelTile], center[kChannelTile];
      for (int64_t i = 0; i < width; ++i) {
        const int64_t c = first + i;
        center[i] = mean[n * C + c];
        factor[i] = gamma[c] * rstd[n * C + c];
        shift[i] = gamma[c] * (alpha[c] * ((center[i] - m) * rstd_m)) + beta[c];
      }
      functions::for_activation<ActivationMath>(activation, slope, [&](auto f) {
        for (int64_t p = begin; p < end; ++p) {
          const T* const from = x + (n * P + p) * C + first;
          T* const to = y + (n * P + p) * C + first;
#pragma omp simd
          for (int64_t i = 0; i < width; ++i) {
            to[i] = narrow<T>(f((widen(from[i]) - center[i]) * factor[i] + shift[i]));
          }
        }
      });
    }
  }
};

}  // namespace

void instance_norm_plus_again(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta,
                              ConstView mean, ConstView rstd, ConstView channels, View y, Activation activation,
                              double slope) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const auto nothing = [](int64_t, int64_t = 0) {};
    for_images(stream, Extent(x.shape()), nothing, nothing,
               Apply<T>(x, gamma, alpha, beta, mean, rstd, channels, y, activation, slope));
  });
}

void instance_norm_plus(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta, View y,
                        View mean, View rstd, View channels, Activation activation, double negative_slope,
                        ConstView runs) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const Extent extent(x.shape());
    const int64_t P = extent.pixels, C = extent.channels;
    const T* const px = x.as<T>();
    Acc *const pmean = mean.as<Acc>(), *const prstd = rstd.as<Acc>(), *const pchannels = channels.as<Acc>();

    const auto deviations = [&](int64_t at, int64_t width, const double* squares) {
      for (int64_t i = 0; i < width; ++i) {
        prstd[at + i] = static_cast<Acc>(1 / std::sqrt(squares[i] / static_cast<double>(P) + kEpsilon));
      }
    };
    const auto merged_statistics = [&](int64_t n, int64_t first) {
      const int64_t width = extent.width(first), S = runs.dim(1);
      double middle[kChannelTile], squares[kChannelTile];
      merge_runs(runs.as<Acc>() + n * S * 2 * C + first, S, P, C, width, middle, squares);
      for (int64_t i = 0; i < width; ++i) pmean[n * C + first + i] = static_cast<Acc>(middle[i]);
      deviations(n * C + first, width, squares);
    };
    const auto statistics = [&](int64_t n, int64_t first) {
      if (runs) return merged_statistics(n, first);
      const int64_t width = extent.width(first);
      const T* const from = px + n * P * C + first;
      Acc* const mu = pmean + n * C + first;
      double sums[kChannelTile];
      channel_sums<Acc>(
          P, width, [=](int64_t p, int64_t i) { return widen(from[p * C + i]); }, sums);
      for (int64_t i = 0; i < width; ++i) mu[i] = static_cast<Acc>(sums[i] / static_cast<double>(P));
      Acc center[kChannelTile];
      std::copy(mu, mu + width, center);
      const Acc* const middle = center;
      const auto square = [=](int64_t p, int64_t i) {
        const Acc d = widen(from[p * C + i]) - middle[i];
        return d * d;
      };
      channel_sums<Acc>(P, width, square, sums);
      deviations(n * C + first, width, sums);
    };
    const auto across_channels = [&](int64_t n) {
      const Acc* const mu = pmean + n * C;
      double sum = 0, squares = 0;
      for (int64_t c = 0; c < C; ++c) sum += static_cast<double>(mu[c]);
      const double m = sum / static_cast<double>(C);
      for (int64_t c = 0; c < C; ++c) squares += (static_cast<double>(mu[c]) - m) * (static_cast<double>(mu[c]) - m);
      pchannels[2 * n] = static_cast<Acc>(m);
      pchannels[2 * n + 1] = static_cast<Acc>(1 / std::sqrt(squares / static_cast<double>(C - 1) + kEpsilon));
    };
    for_images(stream, extent, statistics, across_channels,
               Apply<T>(x, gamma, alpha, beta, mean, rstd, channels, y, activation, negative_slope));
  });
}

void instance_norm_plus_backward(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView mean,
                                 ConstView rstd, ConstView channels, ConstView dy, View dx, View dgamma, View dalpha,
                                 View dbeta, View workspace, ConstView residual) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const Extent extent(x.shape());
    const int64_t N = extent.images, P = extent.pixels, C = extent.channels;
    const T *const px = x.as<T>(), *const pdy = dy.as<T>();
    T* const pdx = dx.as<T>();
    const T* const presidual = residual.as<T>();
    const Acc *const pgamma = gamma.as<Acc>(), *const palpha = alpha.as<Acc>(), *const pmean = mean.as<Acc>();
    const Acc *const prstd = rstd.as<Acc>(), *const pchannels = channels.as<Acc>();
    Acc* const sum_dy = reinterpret_cast<Acc*>(workspace.as<uint8_t>());
    Acc *const sum_dy_xhat = sum_dy + x.dim(0) * C, *const shift_dx = sum_dy_xhat + x.dim(0) * C;
    const auto deviation = [&](int64_t n, int64_t c) {  // t_c
      return (pmean[n * C + c] - pchannels[2 * n]) * pchannels[2 * n + 1];
    };

    const auto sums = [&](int64_t n, int64_t first) {
      const int64_t width = extent.width(first);
      const T *const from = px + n * P * C + first, *const grad = pdy + n * P * C + first;
      Acc center[kChannelTile];
      std::copy(pmean + n * C + first, pmean + n * C + first + width, center);
      const Acc* const middle = center;
      double total[kChannelTile];
      channel_sums<Acc>(
          P, width, [=](int64_t p, int64_t i) { return widen(grad[p * C + i]); }, total);
      for (int64_t i = 0; i < width; ++i) sum_dy[n * C + first + i] = static_cast<Acc>(total[i]);
      const auto product = [=](int64_t p, int64_t i) {
        return widen(grad[p * C + i]) * (widen(from[p * C + i]) - middle[i]);
      };
      channel_sums<Acc>(P, width, product, total);
      for (int64_t i = 0; i < width; ++i) {
        const int64_t at = n * C + first + i;
        sum_dy_xhat[at] = static_cast<Acc>(total[i] * static_cast<double>(prstd[at]));
      }
    };
    const auto across_channels = [&](int64_t n) {
      if (!dx) return;
      double sum = 0, product = 0;
      for (int64_t c = 0; c < C; ++c) {
        const double g = static_cast<double>(pgamma[c] * palpha[c] * sum_dy[n * C + c]);
        sum += g, product += g * static_cast<double>(deviation(n, c));
      }
      const Acc average = static_cast<Acc>(sum / static_cast<double>(C));
      const Acc slope = static_cast<Acc>(product / static_cast<double>(C - 1));
      for (int64_t c = 0; c < C; ++c) {
        const int64_t at = n * C + c;
        const Acc g = pgamma[c] * palpha[c] * sum_dy[at];
        const Acc through_mean = pchannels[2 * n + 1] * (g - average - deviation(n, c) * slope);
        shift_dx[at] = through_mean / static_cast<Acc>(P);
      }
    };
    const auto apply = [&](int64_t n, int64_t begin, int64_t end) {
      if (!dx) return;
      for (int64_t first = 0; first < C; first += kChannelTile) {
        const int64_t width = extent.width(first);
        Acc factor[kChannelTile], slope[kChannelTile], average[kChannelTile], shift[kChannelTile], center[kChannelTile];
        for (int64_t i = 0; i < width; ++i) {
          const int64_t at = n * C + first + i;
          center[i] = pmean[at];
          factor[i] = pgamma[first + i] * prstd[at];
          slope[i] = prstd[at] * sum_dy_xhat[at] / static_cast<Acc>(P);
          average[i] = sum_dy[at] / static_cast<Acc>(P);
          shift[i] = shift_dx[at];
        }
        for (int64_t p = begin; p < end; ++p) {
          const int64_t at = (n * P + p) * C + first;
          const T *const from = px + at, *const grad = pdy + at;
          T* const to = pdx + at;
          const auto gradient = [&](int64_t i) {
            const Acc centered = (widen(grad[i]) - average[i]) - slope[i] * (widen(from[i]) - center[i]);
            return factor[i] * centered + shift[i];
          };
          if (presidual) {
            const T* const more = presidual + at;
#pragma omp simd
            for (int64_t i = 0; i < width; ++i) to[i] = narrow<T>(gradient(i) + widen(more[i]));
          } else {
#pragma omp simd
            for (int64_t i = 0; i < width; ++i) to[i] = narrow<T>(gradient(i));
          }
        }
      }
    };
    for_images(stream, extent, sums, across_channels, apply);

    if (!dgamma && !dalpha && !dbeta) return;
    Acc *const pdgamma = dgamma.as<Acc>(), *const pdalpha = dalpha.as<Acc>(), *const pdbeta = dbeta.as<Acc>();
    parallel_chunks(stream, C, kChannelTile, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        double to_gamma = 0, to_alpha = 0, to_beta = 0;
        for (int64_t n = 0; n < N; ++n) {
          const double s1 = static_cast<double>(sum_dy[n * C + c]), t = static_cast<double>(deviation(n, c));
          to_gamma += static_cast<double>(sum_dy_xhat[n * C + c]) + static_cast<double>(palpha[c]) * t * s1;
          to_alpha += static_cast<double>(pgamma[c]) * t * s1;
          to_beta += s1;
        }
        if (pdgamma) pdgamma[c] = static_cast<Acc>(to_gamma);
        if (pdalpha) pdalpha[c] = static_cast<Acc>(to_alpha);
        if (pdbeta) pdbeta[c] = static_cast<Acc>(to_beta);
      }
    });
  });
}
}  // namespace cpu

namespace {
/// What is required of arguments that the forward pass and its repetition share.
void check(const OpScope& op, ConstView x, ConstView gamma, ConstView alpha, ConstView beta, ConstView mean,
           ConstView rstd, ConstView channels, ConstView y, Activation activation, double slope) {
  op.require(x.rank() == 4 && x.shape() == y.shape(), "x and y must be [N,H,W,C]");
  const int64_t N = x.dim(0), C = x.dim(3);
  op.require(C >= 2, "C must be at least 2: the variance over channels is unbiased");
  op.require(gamma.shape() == Shape{C} && alpha.shape() == Shape{C} && beta.shape() == Shape{C},
             "gamma, alpha and beta must be [C]");
  op.require(mean.shape() == Shape{N, C} && rstd.shape() == Shape{N, C} && channels.shape() == Shape{N, 2},
             "mean and rstd must be [N,C], channels [N,2]");
  const DType wide = accumulator(x.dtype());
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
  op.require_dtype(gamma.dtype() == wide && alpha.dtype() == wide && beta.dtype() == wide && mean.dtype() == wide &&
                       rstd.dtype() == wide && channels.dtype() == wide,
                   "parameters and statistics must be f32 (f64 with f64)");
  require_slope(op, activation, slope);
}
}  // namespace

void instance_norm_plus(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta, View y,
                        View mean, View rstd, View channels, Activation activation, double negative_slope,
                        ConstView runs) {
  const OpScope op(stream, "instance_norm_plus", {x, gamma, alpha, beta, y, mean, rstd, channels, runs});
  check(op, x, gamma, alpha, beta, mean, rstd, channels, y, activation, negative_slope);
  if (runs) check_run_moments(op, runs, x);
  if (x.count() == 0) return;
  pick<cpu::instance_norm_plus, simt::instance_norm_plus, cuda::instance_norm_plus>(stream)(
      stream, x, gamma, alpha, beta, y, mean, rstd, channels, activation, negative_slope, runs);
}

void instance_norm_plus_again(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta,
                              ConstView mean, ConstView rstd, ConstView channels, View y, Activation activation,
                              double slope) {
  const OpScope op(stream, "instance_norm_plus_again", {x, gamma, alpha, beta, mean, rstd, channels, y});
  check(op, x, gamma, alpha, beta, mean, rstd, channels, y, activation, slope);
  if (x.count() == 0) return;
  pick<cpu::instance_norm_plus_again, simt::instance_norm_plus_again, cuda::instance_norm_plus_again>(stream)(
      stream, x, gamma, alpha, beta, mean, rstd, channels, y, activation, slope);
}

size_t instance_norm_plus_backward_workspace_bytes(const Shape& x, DType dtype) {
  return static_cast<size_t>(3 * x[0] * x[3]) * size_of(accumulator(dtype));
}

void instance_norm_plus_backward(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView mean,
                                 ConstView rstd, ConstView channels, ConstView dy, View dx, View dgamma, View dalpha,
                                 View dbeta, View workspace, ConstView residual) {
  const OpScope op(stream, "instance_norm_plus_backward",
                   {x, gamma, alpha, mean, rstd, channels, dy, dx, dgamma, dalpha, dbeta, workspace, residual});
  op.require(x.rank() == 4 && dy.shape() == x.shape() && (!dx || dx.shape() == x.shape()) &&
                 (!residual || residual.shape() == x.shape()),
             "x, dy, dx and residual must be [N,H,W,C]");
  const int64_t N = x.dim(0), C = x.dim(3);
  op.require(C >= 2, "C must be at least 2: the variance over channels is unbiased");
  const auto is_vector = [&](ConstView v) { return !v || v.shape() == Shape{C}; };
  op.require(gamma && is_vector(gamma) && alpha && is_vector(alpha) && is_vector(dgamma) && is_vector(dalpha) &&
                 is_vector(dbeta),
             "gamma, alpha and their gradients must be [C]");
  op.require(mean.shape() == Shape{N, C} && rstd.shape() == Shape{N, C} && channels.shape() == Shape{N, 2},
             "mean and rstd must be [N,C], channels [N,2]");
  op.require(workspace.bytes() >= instance_norm_plus_backward_workspace_bytes(x.shape(), x.dtype()),
             "the workspace must have instance_norm_plus_backward_workspace_bytes");
  const DType wide = accumulator(x.dtype());
  const auto is_wide = [&](ConstView v) { return !v || v.dtype() == wide; };
  op.require_dtype(
      dy.dtype() == x.dtype() && (!dx || dx.dtype() == x.dtype()) && (!residual || residual.dtype() == x.dtype()),
      "x, dy, dx and residual must have one dtype");
  op.require_dtype(is_wide(gamma) && is_wide(alpha) && is_wide(mean) && is_wide(rstd) && is_wide(channels) &&
                       is_wide(dgamma) && is_wide(dalpha) && is_wide(dbeta),
                   "parameters, their gradients and statistics must be f32 (f64 with f64)");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
  pick<cpu::instance_norm_plus_backward, simt::instance_norm_plus_backward, cuda::instance_norm_plus_backward>(stream)(
      stream, x, gamma, alpha, mean, rstd, channels, dy, dx, dgamma, dalpha, dbeta, workspace, residual);
}

}  // namespace ascore::kernels
