#include "kernels/batch_norm/batch_norm.hpp"

#include "kernels/batch_norm/batch_statistics.hpp"
#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/channel_statistics.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/core/workspace.hpp"

#include <cmath>

namespace ascore::kernels {

namespace simt {
decltype(kernels::batch_statistics) batch_statistics;
}
namespace cuda {
decltype(kernels::batch_statistics) batch_statistics;
}

namespace cpu {
void batch_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      double momentum, View mean, View rstd, View running_mean, View running_var) {
  for_cpu_real_type(mean.dtype(), [&]<class Acc>() {
    const int64_t N = channel_mean.dim(0), C = channel_mean.dim(1);
    const Acc *const mu = channel_mean.as<Acc>(), *const inside = channel_squares.as<Acc>();
    Acc *const old_mean = running_mean.as<Acc>(), *const old_var = running_var.as<Acc>();
    const double count = static_cast<double>(N * pixels);
    parallel_for(stream, C, 64, [&](int64_t c) {
      double sum = 0, squares = 0;
      for (int64_t n = 0; n < N; ++n) sum += static_cast<double>(mu[n * C + c]);
      const double m = sum / static_cast<double>(N);
      for (int64_t n = 0; n < N; ++n) {
        const double d = static_cast<double>(mu[n * C + c]) - m;
        squares += static_cast<double>(inside[n * C + c]) + static_cast<double>(pixels) * d * d;
      }
      mean.as<Acc>()[c] = static_cast<Acc>(m);
      rstd.as<Acc>()[c] = static_cast<Acc>(1 / std::sqrt(squares / count + eps));
      const double before_mean = static_cast<double>(old_mean[c]), before_var = static_cast<double>(old_var[c]);
      old_mean[c] = static_cast<Acc>(before_mean + momentum * (m - before_mean));
      old_var[c] = static_cast<Acc>(before_var + momentum * (squares / (count - 1) - before_var));
    });
  });
}
}  // namespace cpu

void batch_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      double momentum, View mean, View rstd, View running_mean, View running_var) {
  const OpScope op(stream, "batch_statistics",
                   {channel_mean, channel_squares, mean, rstd, in_out(running_mean), in_out(running_var)});
  pick<cpu::batch_statistics, simt::batch_statistics, cuda::batch_statistics>(stream)(
      stream, channel_mean, channel_squares, pixels, eps, momentum, mean, rstd, running_mean, running_var);
}

namespace {
void check_workspace(const OpScope& op, ConstView workspace, size_t bytes) {
  op.require(workspace.bytes() >= bytes, "the workspace is smaller than its _workspace_bytes");
  op.require_dtype(workspace.dtype() == DType::u8, "the workspace must be u8");
}
}  // namespace

size_t batch_norm_workspace_bytes(const Shape& x, DType dtype) {
  return static_cast<size_t>(2 * x[0] * x[3]) * size_of(accumulator(dtype));
}

void batch_norm(Stream& stream, ConstView x, ConstView gamma, ConstView beta, double eps, double momentum, View y,
                View mean, View rstd, View running_mean, View running_var, View workspace, ConstView runs) {
  const OpScope op(stream, "batch_norm",
                   {x, gamma, beta, y, mean, rstd, in_out(running_mean), in_out(running_var), workspace, runs});
  op.require(x.rank() == 4, "x must be [N,H,W,C]");
  const Shape channel{x.dim(3)};
  const int64_t pixels = x.dim(1) * x.dim(2);
  op.require(x.dim(0) * pixels >= 2, "a batch must have at least two pixels: the running variance is unbiased");
  op.require(mean.shape() == channel && rstd.shape() == channel && running_mean.shape() == channel &&
                 running_var.shape() == channel,
             "mean, rstd and the running statistics must be [C]");
  const DType wide = accumulator(x.dtype());
  op.require_dtype(
      mean.dtype() == wide && rstd.dtype() == wide && running_mean.dtype() == wide && running_var.dtype() == wide,
      "statistics must be f32 (f64 with f64)");
  check_workspace(op, workspace, batch_norm_workspace_bytes(x.shape(), x.dtype()));
  Workspace parts(workspace);
  const Shape each{x.dim(0), x.dim(3)};
  const View channel_mean = parts.take(each, wide), channel_squares = parts.take(each, wide);
  channel_moments(stream, x, channel_mean, channel_squares, runs);
  batch_statistics(stream, channel_mean, channel_squares, pixels, eps, momentum, mean, rstd, running_mean, running_var);
  channel_norm(stream, x, mean, rstd, gamma, beta, Activation::identity, y);
}

size_t batch_norm_backward_workspace_bytes(const Shape& x, DType dtype) {
  return static_cast<size_t>((2 * x[0] + 4) * x[3]) * size_of(accumulator(dtype));
}

void batch_norm_backward(Stream& stream, BatchStatistics statistics, ConstView x, ConstView gamma, ConstView mean,
                         ConstView rstd, ConstView dy, View dx, View dgamma, View dbeta, View workspace) {
  const OpScope op(stream, "batch_norm_backward", {x, gamma, mean, rstd, dy, dx, dgamma, dbeta, workspace});
  op.require(x.rank() == 4, "x must be [N,H,W,C]");
  op.require(mean.shape() == Shape{x.dim(3)} && rstd.shape() == mean.shape(), "mean and rstd must be [C]");
  check_workspace(op, workspace, batch_norm_backward_workspace_bytes(x.shape(), x.dtype()));
  Workspace parts(workspace);
  const DType wide = accumulator(x.dtype());
  const Shape each{x.dim(0), x.dim(3)}, channel{x.dim(3)};
  const bool through_statistics = dx && statistics == BatchStatistics::of_the_batch;
  View total_g = dbeta, total_gx = dgamma, offset, slope;
  if (total_g || total_gx || through_statistics) {
    const View sum_g = parts.take(each, wide), sum_gx = parts.take(each, wide);
    if (!total_g) total_g = parts.take(channel, wide);
    if (!total_gx) total_gx = parts.take(channel, wide);
    channel_norm_sums(stream, x, dy, mean, rstd, gamma, {}, Activation::identity, sum_g, sum_gx);
    image_sums(stream, sum_g, total_g);
    image_sums(stream, sum_gx, total_gx);
  }
  if (through_statistics) {
    const double factor = 1 / static_cast<double>(x.dim(0) * x.dim(1) * x.dim(2));
    offset = parts.take(channel, wide);
    slope = parts.take(channel, wide);
    scaled_sums(stream, total_g, gamma, rstd, factor, offset);
    scaled_sums(stream, total_gx, gamma, rstd, factor, slope);
  }
  if (dx) channel_norm_gradient(stream, x, dy, mean, rstd, gamma, {}, Activation::identity, offset, slope, dx);
}

}  // namespace ascore::kernels
