#include "kernels/channel_norm/channel_norm.hpp"

#include "kernels/channel_norm/channel_norm_checks.hpp"
#include "kernels/channel_norm/fused_activation.hpp"
#include "kernels/channel_norm/merged_moments.hpp"
#include "kernels/channel_norm/statistics_layout.hpp"
#include "kernels/core/channel_sums.hpp"
#include "kernels/core/channel_tiles_cpu.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/core/run_moments_checks.hpp"
#include "kernels/core/vector_math.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore::kernels {

namespace simt {
void channel_moments(Stream&, ConstView x, View mean, View squares);
decltype(kernels::channel_norm) channel_norm;
decltype(kernels::channel_norm_sums) channel_norm_sums;
decltype(kernels::channel_norm_gradient) channel_norm_gradient;
decltype(kernels::image_sums) image_sums;
}  // namespace simt
namespace cuda {
decltype(simt::channel_moments) channel_moments;
decltype(kernels::channel_norm) channel_norm;
decltype(kernels::channel_norm_sums) channel_norm_sums;
decltype(kernels::channel_norm_gradient) channel_norm_gradient;
decltype(kernels::image_sums) image_sums;
}  // namespace cuda

namespace cpu {
namespace {

struct Math {
  template <class A>
  static A exp(A x) {
    return vector_exp(x);
  }
};

/// What a tile of channels of one image is normalised by: xhat = (x - mean) rstd, z = gamma xhat + beta.
template <class Acc>
struct Normalizer {
  Acc mean[kChannelTile], rstd[kChannelTile], gamma[kChannelTile], beta[kChannelTile];

  Normalizer(int64_t n, int64_t first, int64_t width, int64_t C, ConstView mu, ConstView rs, ConstView g, ConstView b) {
    const StatisticsLayout at(rs, C);
    for (int64_t i = 0; i < width; ++i) {
      mean[i] = mu ? mu.as<Acc>()[at(n, first + i)] : Acc(0);
      rstd[i] = rs.as<Acc>()[at(n, first + i)];
      gamma[i] = g ? g.as<Acc>()[first + i] : Acc(1);
      beta[i] = b ? b.as<Acc>()[first + i] : Acc(0);
    }
  }
};

}  // namespace

void channel_moments(Stream& stream, ConstView x, View mean, View squares) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const int64_t P = x.dim(1) * x.dim(2), C = x.dim(3);
    for_channel_tiles(stream, x.dim(0), C, [&](int64_t n, int64_t first, int64_t width) {
      const T* const from = x.as<T>() + n * P * C + first;
      Acc *const mu = mean.as<Acc>() + n * C + first, *const spread = squares.as<Acc>() + n * C + first;
      double sums[kChannelTile];
      channel_sums<Acc>(
          P, width, [=](int64_t p, int64_t i) { return widen(from[p * C + i]); }, sums);
      Acc center[kChannelTile];
      for (int64_t i = 0; i < width; ++i) center[i] = mu[i] = static_cast<Acc>(sums[i] / static_cast<double>(P));
      const Acc* const middle = center;
      const auto square = [=](int64_t p, int64_t i) {
        const Acc d = widen(from[p * C + i]) - middle[i];
        return d * d;
      };
      channel_sums<Acc>(P, width, square, sums);
      for (int64_t i = 0; i < width; ++i) spread[i] = static_cast<Acc>(sums[i]);
    });
  });
}

void channel_norm(Stream& stream, ConstView x, ConstView mean, ConstView rstd, ConstView gamma, ConstView beta,
                  Activation activation, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const int64_t P = x.dim(1) * x.dim(2), C = x.dim(3);
    for_fused_activation<Math>(activation, [&](auto f) {
      for_pixel_tiles(stream, x.shape(), [&](int64_t n, int64_t first, int64_t width, int64_t begin, int64_t end) {
        const Normalizer<Acc> by(n, first, width, C, mean, rstd, gamma, beta);
        Acc factor[kChannelTile];
        for (int64_t i = 0; i < width; ++i) factor[i] = by.gamma[i] * by.rstd[i];
        for (int64_t p = begin; p < end; ++p) {
          const T* const from = x.as<T>() + (n * P + p) * C + first;
          T* const to = y.as<T>() + (n * P + p) * C + first;
#pragma omp simd
          for (int64_t i = 0; i < width; ++i) {
            to[i] = narrow<T>(f((widen(from[i]) - by.mean[i]) * factor[i] + by.beta[i]));
          }
        }
      });
    });
  });
}

void channel_norm_sums(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                       ConstView beta, Activation activation, View sum_g, View sum_gx) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    constexpr int64_t kRun = 64;
    const int64_t P = x.dim(1) * x.dim(2), C = x.dim(3);
    for_fused_activation<Math>(activation, [&](auto f) {
      for_channel_tiles(stream, x.dim(0), C, [&](int64_t n, int64_t first, int64_t width) {
        double total_g[kChannelTile] = {}, total_gx[kChannelTile] = {}, part[kChannelTile];
        alignas(64) Acc gs[kRun * kChannelTile], gxs[kRun * kChannelTile];
        if (P > 0) {
          const Normalizer<Acc> by(n, first, width, C, mean, rstd, gamma, beta);
          for (int64_t begin = 0; begin < P; begin += kRun) {
            const int64_t run = std::min(kRun, P - begin);
            for (int64_t p = 0; p < run; ++p) {
              const int64_t at = (n * P + begin + p) * C + first;
              const T *const from = x.as<T>() + at, *const grad = dy.as<T>() + at;
              Acc *const g = gs + p * kChannelTile, *const gx = gxs + p * kChannelTile;
#pragma omp simd
              for (int64_t i = 0; i < width; ++i) {
                const Acc xhat = (widen(from[i]) - by.mean[i]) * by.rstd[i];
                g[i] = widen(grad[i]) * f.slope(by.gamma[i] * xhat + by.beta[i]);
                gx[i] = g[i] * xhat;
              }
            }
            const Acc *const from_g = gs, *const from_gx = gxs;
            channel_sums<Acc>(
                run, width, [=](int64_t p, int64_t i) { return from_g[p * kChannelTile + i]; }, part);
            for (int64_t i = 0; i < width; ++i) total_g[i] += part[i];
            channel_sums<Acc>(
                run, width, [=](int64_t p, int64_t i) { return from_gx[p * kChannelTile + i]; }, part);
            for (int64_t i = 0; i < width; ++i) total_gx[i] += part[i];
          }
        }
        for (int64_t i = 0; i < width; ++i) {
          sum_g.as<Acc>()[n * C + first + i] = static_cast<Acc>(total_g[i]);
          sum_gx.as<Acc>()[n * C + first + i] = static_cast<Acc>(total_gx[i]);
        }
      });
    });
  });
}

void channel_norm_gradient(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                           ConstView beta, Activation activation, ConstView offset, ConstView slope, View dx,
                           ConstView residual) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const int64_t P = x.dim(1) * x.dim(2), C = x.dim(3);
    const StatisticsLayout layout(rstd, C);
    for_fused_activation<Math>(activation, [&](auto f) {
      for_pixel_tiles(stream, x.shape(), [&](int64_t n, int64_t first, int64_t width, int64_t begin, int64_t end) {
        const Normalizer<Acc> by(n, first, width, C, mean, rstd, gamma, beta);
        Acc factor[kChannelTile], shift[kChannelTile], tilt[kChannelTile];
        for (int64_t i = 0; i < width; ++i) {
          const int64_t at = layout(n, first + i);
          factor[i] = by.gamma[i] * by.rstd[i];
          shift[i] = offset ? offset.as<Acc>()[at] : Acc(0);
          tilt[i] = slope ? slope.as<Acc>()[at] : Acc(0);
        }
        for (int64_t p = begin; p < end; ++p) {
          const int64_t at = (n * P + p) * C + first;
          const T *const from = x.as<T>() + at, *const grad = dy.as<T>() + at;
          T* const to = dx.as<T>() + at;
          const auto gradient = [&](int64_t i) {
            const Acc xhat = (widen(from[i]) - by.mean[i]) * by.rstd[i];
            const Acc g = widen(grad[i]) * f.slope(by.gamma[i] * xhat + by.beta[i]);
            return (factor[i] * g - shift[i]) - tilt[i] * xhat;
          };
          if (residual) {
            const T* const more = residual.as<T>() + at;
#pragma omp simd
            for (int64_t i = 0; i < width; ++i) to[i] = narrow<T>(gradient(i) + widen(more[i]));
          } else {
#pragma omp simd
            for (int64_t i = 0; i < width; ++i) to[i] = narrow<T>(gradient(i));
          }
        }
      });
    });
  });
}

void image_sums(Stream& stream, ConstView sums, View total) {
  for_cpu_real_type(sums.dtype(), [&]<class Acc>() {
    const int64_t N = sums.dim(0), C = sums.dim(1);
    const Acc* const from = sums.as<Acc>();
    parallel_chunks(stream, C, kChannelTile, [&](int64_t begin, int64_t end) {
      double result[kChannelTile];
      channel_sums<Acc>(
          N, end - begin, [=](int64_t n, int64_t i) { return from[n * C + begin + i]; }, result);
      for (int64_t c = begin; c < end; ++c) total.as<Acc>()[c] = static_cast<Acc>(result[c - begin]);
    });
  });
}

}  // namespace cpu

void check_normalizer(const OpScope& op, ConstView x, ConstView mean, ConstView rstd, ConstView gamma, ConstView beta,
                      Activation activation) {
  op.require(x.rank() == 4, "x must be [N,H,W,C]");
  const int64_t N = x.dim(0), C = x.dim(3);
  const bool by_group = rstd.rank() == 2 && rstd.dim(0) == N && rstd.dim(1) >= 1 && C % rstd.dim(1) == 0;
  op.require(by_group || rstd.shape() == Shape{C}, "rstd must be [N,G] with C a multiple of G, or [C]");
  op.require(!mean || mean.shape() == rstd.shape(), "mean and rstd must have one shape");
  op.require((!gamma || gamma.shape() == Shape{C}) && (!beta || beta.shape() == Shape{C}),
             "gamma and beta must be [C]");
  const DType wide = accumulator(x.dtype());
  op.require_dtype(rstd.dtype() == wide && (!mean || mean.dtype() == wide) && (!gamma || gamma.dtype() == wide) &&
                       (!beta || beta.dtype() == wide),
                   "parameters and statistics must be f32 (f64 with f64)");
  if (!is_fused(activation)) {
    throw ConfigError(fmt::format("{}: only identity and silu can be fused; apply others afterwards", op.name()));
  }
}

void check_like(const OpScope& op, ConstView x, ConstView other) {
  op.require(other.shape() == x.shape(), "x, y, dy and dx must have one shape");
  op.require_dtype(other.dtype() == x.dtype(), "x, y, dy and dx must have one dtype");
}

void channel_moments(Stream& stream, ConstView x, View mean, View squares, ConstView runs) {
  const OpScope op(stream, "channel_moments", {x, mean, squares, runs});
  op.require(x.rank() == 4, "x must be [N,H,W,C]");
  const Shape each{x.dim(0), x.dim(3)};
  op.require(mean.shape() == each && squares.shape() == each, "mean and squares must be [N,C]");
  const DType wide = accumulator(x.dtype());
  op.require_dtype(mean.dtype() == wide && squares.dtype() == wide, "statistics must be f32 (f64 with f64)");
  if (runs) check_run_moments(op, runs, x);
  if (x.count() == 0) return;
  if (runs) return merged_moments(stream, runs, x.dim(1) * x.dim(2), mean, squares);
  pick<cpu::channel_moments, simt::channel_moments, cuda::channel_moments>(stream)(stream, x, mean, squares);
}

void channel_norm(Stream& stream, ConstView x, ConstView mean, ConstView rstd, ConstView gamma, ConstView beta,
                  Activation activation, View y) {
  const OpScope op(stream, "channel_norm", {x, mean, rstd, gamma, beta, y});
  check_normalizer(op, x, mean, rstd, gamma, beta, activation);
  check_like(op, x, y);
  if (x.count() == 0) return;
  pick<cpu::channel_norm, simt::channel_norm, cuda::channel_norm>(stream)(stream, x, mean, rstd, gamma, beta,
                                                                          activation, y);
}

void channel_norm_sums(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                       ConstView beta, Activation activation, View sum_g, View sum_gx) {
  const OpScope op(stream, "channel_norm_sums", {x, dy, mean, rstd, gamma, beta, sum_g, sum_gx});
  check_normalizer(op, x, mean, rstd, gamma, beta, activation);
  check_like(op, x, dy);
  const Shape each{x.dim(0), x.dim(3)};
  op.require(sum_g.shape() == each && sum_gx.shape() == each, "the sums must be [N,C]");
  op.require_dtype(sum_g.dtype() == rstd.dtype() && sum_gx.dtype() == rstd.dtype(), "sums must have rstd's dtype");
  pick<cpu::channel_norm_sums, simt::channel_norm_sums, cuda::channel_norm_sums>(stream)(
      stream, x, dy, mean, rstd, gamma, beta, activation, sum_g, sum_gx);
}

void channel_norm_gradient(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                           ConstView beta, Activation activation, ConstView offset, ConstView slope, View dx,
                           ConstView residual) {
  const OpScope op(stream, "channel_norm_gradient", {x, dy, mean, rstd, gamma, beta, offset, slope, dx, residual});
  check_normalizer(op, x, mean, rstd, gamma, beta, activation);
  check_like(op, x, dy);
  check_like(op, x, dx);
  if (residual) check_like(op, x, residual);
  op.require((!offset || offset.shape() == rstd.shape()) && (!slope || slope.shape() == rstd.shape()),
             "offset and slope must have the shape of rstd");
  op.require_dtype((!offset || offset.dtype() == rstd.dtype()) && (!slope || slope.dtype() == rstd.dtype()),
                   "offset and slope must have rstd's dtype");
  if (x.count() == 0) return;
  pick<cpu::channel_norm_gradient, simt::channel_norm_gradient, cuda::channel_norm_gradient>(stream)(
      stream, x, dy, mean, rstd, gamma, beta, activation, offset, slope, dx, residual);
}

void image_sums(Stream& stream, ConstView sums, View total) {
  const OpScope op(stream, "image_sums", {sums, total});
  op.require(sums.rank() == 2 && total.shape() == Shape{sums.dim(1)}, "sums must be [N,C], total [C]");
  op.require_dtype(sums.dtype() == total.dtype(), "sums and total must have one dtype");
  pick<cpu::image_sums, simt::image_sums, cuda::image_sums>(stream)(stream, sums, total);
}

}  // namespace ascore::kernels
