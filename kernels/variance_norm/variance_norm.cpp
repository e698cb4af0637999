#include "kernels/variance_norm/variance_norm.hpp"

#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/channel_statistics.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/workspace.hpp"

/// No kernel of its own: the passes of channel_norm, which run on every device.
namespace ascore::kernels {

namespace {
constexpr double kEpsilon = 1e-5;

/// Checks what both passes share; returns 1 / (P - 1).
double inverse_degrees(const OpScope& op, ConstView x, ConstView mean, ConstView rstd, ConstView workspace,
                       size_t bytes) {
  op.require(x.rank() == 4 && x.dim(1) * x.dim(2) >= 2,
             "x must be [N,H,W,C] of at least two pixels: the variance is unbiased");
  op.require(mean.shape() == Shape{x.dim(0), x.dim(3)} && rstd.shape() == mean.shape(), "mean and rstd must be [N,C]");
  op.require(workspace.bytes() >= bytes, "the workspace is smaller than its _workspace_bytes");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
  return 1 / static_cast<double>(x.dim(1) * x.dim(2) - 1);
}
}  // namespace

size_t variance_norm_workspace_bytes(const Shape& x, DType dtype) {
  return static_cast<size_t>(x[0] * x[3]) * size_of(accumulator(dtype));
}

void variance_norm(Stream& stream, ConstView x, ConstView alpha, View y, View mean, View rstd, View workspace,
                   ConstView runs) {
  const OpScope op(stream, "variance_norm", {x, alpha, y, mean, rstd, workspace, runs});
  const double factor =
      inverse_degrees(op, x, mean, rstd, workspace, variance_norm_workspace_bytes(x.shape(), x.dtype()));
  const View squares = Workspace(workspace).take(mean.shape(), accumulator(x.dtype()));
  channel_moments(stream, x, mean, squares, runs);
  inverse_deviation(stream, squares, factor, kEpsilon, rstd);
  channel_norm(stream, x, {}, rstd, alpha, {}, Activation::identity, y);
}

size_t variance_norm_backward_workspace_bytes(const Shape& x, DType dtype) {
  return static_cast<size_t>(3 * x[0] * x[3]) * size_of(accumulator(dtype));
}

void variance_norm_backward(Stream& stream, ConstView x, ConstView alpha, ConstView mean, ConstView rstd, ConstView dy,
                            View dx, View dalpha, View workspace) {
  const OpScope op(stream, "variance_norm_backward", {x, alpha, mean, rstd, dy, dx, dalpha, workspace});
  const double factor =
      inverse_degrees(op, x, mean, rstd, workspace, variance_norm_backward_workspace_bytes(x.shape(), x.dtype()));
  Workspace parts(workspace);
  const DType wide = accumulator(x.dtype());
  const View sum_g = parts.take(mean.shape(), wide), sum_gx = parts.take(mean.shape(), wide);
  channel_norm_sums(stream, x, dy, {}, rstd, alpha, {}, Activation::identity, sum_g, sum_gx);
  if (dalpha) image_sums(stream, sum_gx, dalpha);
  if (!dx) return;
  const View slope = parts.take(mean.shape(), wide);
  scaled_sums(stream, sum_gx, alpha, rstd, factor, slope);
  channel_norm_gradient(stream, x, dy, mean, rstd, alpha, {}, Activation::identity, {}, slope, dx);
}

}  // namespace ascore::kernels
