#include "kernels/batch_norm/batch_norm.hpp"

#include "engine/autograd/normalization.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/affine/affine.hpp"
#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/channel_statistics.hpp"

namespace ascore {

namespace {
constexpr double kMomentum = 0.1;

/// Normalizes by the batch's statistics, which are written to mean and rstd, and lets `running` advance.
void train(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& beta, RunningStatistics& running, double eps,
           Tensor& y, Tensor& mean, Tensor& rstd) {
  const auto bytes = static_cast<int64_t>(kernels::batch_norm_workspace_bytes(x.shape(), x.dtype()));
  Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
  mean = ctx.empty({x.dim(-1)}, accumulator(x.dtype()));
  kernels::batch_norm(ctx.stream, x, gamma, beta, eps, kMomentum, y, mean, rstd, running.mean, running.variance,
                      workspace);
  kernels::affine(ctx.stream, running.batches, 1, 1, running.batches);
}
}  // namespace

Tensor batch_norm(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& beta, RunningStatistics& running,
                  double eps) {
  Tensor y = ctx.empty_like(x), mean = running.mean, rstd = ctx.empty({x.dim(-1)}, accumulator(x.dtype()));
  if (ctx.training) {
    train(ctx, x, gamma, beta, running, eps, y, mean, rstd);
  } else {
    kernels::inverse_deviation(ctx.stream, running.variance, 1, eps, rstd);
    kernels::channel_norm(ctx.stream, x, mean, rstd, gamma, beta, Activation::identity, y);
  }
  if (ctx.tape) {
    const auto statistics = ctx.training ? kernels::BatchStatistics::of_the_batch : kernels::BatchStatistics::running;
    ctx.tape->record("batch_norm", {x, gamma, beta}, y, [x, gamma, mean, rstd, statistics](Backward& backward) {
      const View scratch = backward.workspace(kernels::batch_norm_backward_workspace_bytes(x.shape(), x.dtype()));
      kernels::batch_norm_backward(backward.stream, statistics, x, gamma, mean, rstd, backward.grad_out(),
                                   backward.grad_in(0), backward.grad_in(1), backward.grad_in(2), scratch);
    });
  }
  return y;
}

}  // namespace ascore
