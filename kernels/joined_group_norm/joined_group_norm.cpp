#include "kernels/joined_group_norm/joined_group_norm.hpp"

#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/fused_activation.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/core/workspace.hpp"
#include "kernels/group_norm/group_reductions.hpp"
#include "kernels/joined_group_norm/joined_passes.hpp"

#include <fmt/format.h>

namespace ascore::kernels {

namespace {

/// Checks what both directions have in common; `joined`: y or dy.
void check(const OpScope& op, ConstView a, ConstView b, ConstView joined, const JoinedNormalizer& by) {
  op.require(a.rank() == 4 && b.rank() == 4 && a.dim(3) > 0 && b.dim(3) > 0, "a and b must be [N,H,W,A] and [N,H,W,B]");
  const int64_t channels = a.dim(3) + b.dim(3);
  op.require(b.shape() == Shape{a.dim(0), a.dim(1), a.dim(2), b.dim(3)} &&
                 joined.shape() == Shape{a.dim(0), a.dim(1), a.dim(2), channels},
             "y must be [N,H,W,A+B], with the N, H and W of a and b");
  op.require(by.mean.rank() == 2 && by.mean.shape() == by.rstd.shape() && by.mean.dim(0) == a.dim(0) &&
                 by.mean.dim(1) >= 1 && channels % by.mean.dim(1) == 0,
             "mean and rstd must be [N,G], with A+B a multiple of G");
  op.require((!by.gamma || by.gamma.shape() == Shape{channels}) && (!by.beta || by.beta.shape() == Shape{channels}),
             "gamma and beta must be [A+B]");
  op.require_dtype(b.dtype() == a.dtype() && joined.dtype() == a.dtype(), "a, b and y must have one dtype");
  const DType wide = accumulator(a.dtype());
  op.require_dtype(by.mean.dtype() == wide && by.rstd.dtype() == wide && (!by.gamma || by.gamma.dtype() == wide) &&
                       (!by.beta || by.beta.dtype() == wide),
                   "parameters and statistics must be f32 (f64 with f64)");
  if (!is_fused(by.activation)) {
    throw ConfigError(fmt::format("{}: only identity and silu can be fused; apply others afterwards", op.name()));
  }
}

void check_workspace(const OpScope& op, ConstView workspace, size_t bytes) {
  op.require(workspace.bytes() >= bytes, "the workspace must have joined_group_norm's workspace_bytes");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
}

/// A gradient or residual is absent, or like what it belongs to.
void check_like(const OpScope& op, ConstView view, ConstView x) {
  op.require(!view || view.shape() == x.shape(), "gradients and residuals must have the shapes of a and b");
  op.require_dtype(!view || view.dtype() == x.dtype(), "gradients and residuals must have the dtype of a and b");
}

}  // namespace

size_t joined_group_norm_workspace_bytes(const Shape& joined, DType dtype) {
  return static_cast<size_t>(2 * joined[0] * joined[3]) * size_of(accumulator(dtype));
}

void joined_group_norm(Stream& stream, ConstView a, ConstView b, ConstView gamma, ConstView beta, double eps,
                       Activation activation, View y, View mean, View rstd, View workspace) {
  const OpScope op(stream, "joined_group_norm", {a, b, gamma, beta, y, mean, rstd, workspace});
  const JoinedNormalizer by{mean, rstd, gamma, beta, activation};
  check(op, a, b, y, by);
  check_workspace(op, workspace, joined_group_norm_workspace_bytes(y.shape(), y.dtype()));
  if (y.count() == 0) return;
  Workspace parts(workspace);
  const Shape channels{y.dim(0), y.dim(3)};
  const View channel_mean = parts.take(channels, mean.dtype()), channel_squares = parts.take(channels, mean.dtype());
  pick<cpu::joined_moments, simt::joined_moments, cuda::joined_moments>(stream)(stream, a, b, channel_mean,
                                                                                channel_squares);
  group_statistics(stream, channel_mean, channel_squares, y.dim(1) * y.dim(2), eps, mean, rstd);
  pick<cpu::joined_norm, simt::joined_norm, cuda::joined_norm>(stream)(stream, a, b, by, y);
}

size_t joined_group_norm_backward_workspace_bytes(const Shape& joined, int64_t groups, DType dtype) {
  return static_cast<size_t>(2 * joined[0] * (joined[3] + groups)) * size_of(accumulator(dtype));
}

void joined_group_norm_backward(Stream& stream, ConstView a, ConstView b, ConstView gamma, ConstView beta,
                                ConstView mean, ConstView rstd, Activation activation, ConstView dy, View da, View db,
                                View dgamma, View dbeta, View workspace, const JoinedResiduals& residuals) {
  const OpScope op(stream, "joined_group_norm_backward",
                   {a, b, gamma, beta, mean, rstd, dy, da, db, dgamma, dbeta, workspace, residuals.a, residuals.b});
  const JoinedNormalizer by{mean, rstd, gamma, beta, activation};
  check(op, a, b, dy, by);
  check_like(op, da, a);
  check_like(op, db, b);
  check_like(op, residuals.a, a);
  check_like(op, residuals.b, b);
  check_workspace(op, workspace, joined_group_norm_backward_workspace_bytes(dy.shape(), mean.dim(1), dy.dtype()));
  Workspace parts(workspace);
  const Shape channels{dy.dim(0), dy.dim(3)};
  const DType wide = mean.dtype();
  const View sum_g = parts.take(channels, wide), sum_gx = parts.take(channels, wide);
  pick<cpu::joined_sums, simt::joined_sums, cuda::joined_sums>(stream)(stream, a, b, dy, by, sum_g, sum_gx);
  if (dgamma) image_sums(stream, sum_gx, dgamma);
  if (dbeta) image_sums(stream, sum_g, dbeta);
  if ((!da && !db) || dy.count() == 0) return;
  const View offset = parts.take(mean.shape(), wide), slope = parts.take(mean.shape(), wide);
  group_gradient(stream, sum_g, sum_gx, gamma, rstd, dy.dim(1) * dy.dim(2), offset, slope);
  pick<cpu::joined_gradient, simt::joined_gradient, cuda::joined_gradient>(stream)(stream, a, b, dy, by, offset, slope,
                                                                                   residuals.a, residuals.b, da, db);
}

}  // namespace ascore::kernels
