#include "kernels/group_norm/group_norm.hpp"

#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/channel_norm_checks.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/core/workspace.hpp"
#include "kernels/group_norm/group_reductions.hpp"

#include <cmath>

namespace ascore::kernels {

namespace simt {
decltype(kernels::group_statistics) group_statistics;
decltype(kernels::group_gradient) group_gradient;
}  // namespace simt
namespace cuda {
decltype(kernels::group_statistics) group_statistics;
decltype(kernels::group_gradient) group_gradient;
}  // namespace cuda

namespace cpu {

void group_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      View mean, View rstd) {
  for_cpu_real_type(mean.dtype(), [&]<class Acc>() {
    const int64_t width = channel_mean.dim(1) / mean.dim(1);
    parallel_for(stream, mean.count(), 1024, [&](int64_t group) {
      const Acc *const mu = channel_mean.as<Acc>() + group * width, *const inside =
                                                                        channel_squares.as<Acc>() + group * width;
      double sum = 0, squares = 0;
      for (int64_t c = 0; c < width; ++c) sum += static_cast<double>(mu[c]);
      const double m = sum / static_cast<double>(width);
      for (int64_t c = 0; c < width; ++c) {
        const double d = static_cast<double>(mu[c]) - m;
        squares += static_cast<double>(inside[c]) + static_cast<double>(pixels) * d * d;
      }
      mean.as<Acc>()[group] = static_cast<Acc>(m);
      rstd.as<Acc>()[group] = static_cast<Acc>(1 / std::sqrt(squares / static_cast<double>(pixels * width) + eps));
    });
  });
}

void group_gradient(Stream& stream, ConstView sum_g, ConstView sum_gx, ConstView gamma, ConstView rstd, int64_t pixels,
                    View offset, View slope) {
  for_cpu_real_type(rstd.dtype(), [&]<class Acc>() {
    const int64_t groups = rstd.dim(1), width = sum_g.dim(1) / groups;
    parallel_for(stream, rstd.count(), 1024, [&](int64_t group) {
      const Acc *const g = sum_g.as<Acc>() + group * width, *const gx = sum_gx.as<Acc>() + group * width;
      double total_g = 0, total_gx = 0;
      for (int64_t c = 0; c < width; ++c) {
        const double factor = gamma ? static_cast<double>(gamma.as<Acc>()[group % groups * width + c]) : 1.0;
        total_g += factor * static_cast<double>(g[c]);
        total_gx += factor * static_cast<double>(gx[c]);
      }
      const double scale = static_cast<double>(rstd.as<Acc>()[group]) / static_cast<double>(pixels * width);
      offset.as<Acc>()[group] = static_cast<Acc>(scale * total_g);
      slope.as<Acc>()[group] = static_cast<Acc>(scale * total_gx);
    });
  });
}

}  // namespace cpu

void group_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      View mean, View rstd) {
  const OpScope op(stream, "group_statistics", {channel_mean, channel_squares, mean, rstd});
  pick<cpu::group_statistics, simt::group_statistics, cuda::group_statistics>(stream)(
      stream, channel_mean, channel_squares, pixels, eps, mean, rstd);
}

void group_gradient(Stream& stream, ConstView sum_g, ConstView sum_gx, ConstView gamma, ConstView rstd, int64_t pixels,
                    View offset, View slope) {
  const OpScope op(stream, "group_gradient", {sum_g, sum_gx, gamma, rstd, offset, slope});
  pick<cpu::group_gradient, simt::group_gradient, cuda::group_gradient>(stream)(stream, sum_g, sum_gx, gamma, rstd,
                                                                                pixels, offset, slope);
}

namespace {
void check_statistics(const OpScope& op, ConstView x, ConstView mean, ConstView rstd) {
  op.require(x.rank() == 4, "x must be [N,H,W,C]");
  op.require(mean.rank() == 2 && mean.shape() == rstd.shape() && mean.dim(0) == x.dim(0) && mean.dim(1) >= 1 &&
                 x.dim(3) % mean.dim(1) == 0,
             "mean and rstd must be [N,G], with C a multiple of G");
}
}  // namespace

size_t group_norm_workspace_bytes(const Shape& x, DType dtype) {
  return static_cast<size_t>(2 * x[0] * x[3]) * size_of(accumulator(dtype));
}

void group_norm(Stream& stream, ConstView x, ConstView gamma, ConstView beta, double eps, Activation activation, View y,
                View mean, View rstd, View workspace, ConstView runs) {
  const OpScope op(stream, "group_norm", {x, gamma, beta, y, mean, rstd, workspace, runs});
  check_statistics(op, x, mean, rstd);
  op.require(workspace.bytes() >= group_norm_workspace_bytes(x.shape(), x.dtype()),
             "the workspace must have group_norm_workspace_bytes");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
  if (x.count() == 0) return;
  Workspace parts(workspace);
  const Shape channels{x.dim(0), x.dim(3)};
  const DType wide = accumulator(x.dtype());
  const View channel_mean = parts.take(channels, wide), channel_squares = parts.take(channels, wide);
  channel_moments(stream, x, channel_mean, channel_squares, runs);
  group_statistics(stream, channel_mean, channel_squares, x.dim(1) * x.dim(2), eps, mean, rstd);
  channel_norm(stream, x, mean, rstd, gamma, beta, activation, y);
}

namespace {
/// By passes over the images, each of which reads x and dy; on any device.
void by_passes(Stream& stream, const GroupNormGradient& g, const NormSlab&) {
  channel_norm_sums(stream, g.x, g.dy, g.mean, g.rstd, g.gamma, g.beta, g.activation, g.sum_g, g.sum_gx);
  if (!g.dx || g.x.count() == 0) return;
  group_gradient(stream, g.sum_g, g.sum_gx, g.gamma, g.rstd, g.x.dim(1) * g.x.dim(2), g.offset, g.slope);
  channel_norm_gradient(stream, g.x, g.dy, g.mean, g.rstd, g.gamma, g.beta, g.activation, g.offset, g.slope, g.dx,
                        g.residual);
}

/// None where there is nothing but sums to compute: these read once as it is.
NormSlab slab_of(const GroupNormGradient& g) {
  if (!g.dx || g.x.count() == 0) return {};
  const int64_t C = g.x.dim(3);
  return choose_norm_slab(g.x.dim(1) * g.x.dim(2), C, C / g.mean.dim(1), static_cast<int64_t>(size_of(g.x.dtype())));
}
}  // namespace

size_t group_norm_backward_workspace_bytes(const Shape& x, int64_t groups, DType dtype) {
  return static_cast<size_t>(2 * x[0] * (x[3] + groups)) * size_of(accumulator(dtype));
}

void group_norm_backward(Stream& stream, ConstView x, ConstView gamma, ConstView beta, ConstView mean, ConstView rstd,
                         Activation activation, ConstView dy, View dx, View dgamma, View dbeta, View workspace,
                         ConstView residual) {
  const OpScope op(stream, "group_norm_backward",
                   {x, gamma, beta, mean, rstd, dy, dx, dgamma, dbeta, workspace, residual});
  check_statistics(op, x, mean, rstd);
  op.require(workspace.bytes() >= group_norm_backward_workspace_bytes(x.shape(), mean.dim(1), x.dtype()),
             "the workspace must have group_norm_backward_workspace_bytes");
  check_normalizer(op, x, mean, rstd, gamma, beta, activation);
  check_like(op, x, dy);
  if (dx) check_like(op, x, dx);
  if (residual) check_like(op, x, residual);
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
  Workspace parts(workspace);
  const Shape channels{x.dim(0), x.dim(3)};
  const DType wide = accumulator(x.dtype());
  const View sum_g = parts.take(channels, wide), sum_gx = parts.take(channels, wide);
  const View offset = parts.take(mean.shape(), wide), slope = parts.take(mean.shape(), wide);
  const GroupNormGradient gradient{x,          gamma, beta,   mean,   rstd,  dy, residual,
                                   activation, sum_g, sum_gx, offset, slope, dx};
  if (const NormSlab slab = slab_of(gradient); slab.channels > 0) {
    pick<by_passes, simt::group_norm_slabs, cuda::group_norm_slabs>(stream)(stream, gradient, slab);
  } else {
    by_passes(stream, gradient, slab);
  }
  if (dgamma) image_sums(stream, sum_gx, dgamma);
  if (dbeta) image_sums(stream, sum_g, dbeta);
}

}  // namespace ascore::kernels
