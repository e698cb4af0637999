#include "kernels/batch_norm/batch_norm.hpp"

#include "engine/autograd/normalization.hpp"
#include "engine/autograd/remake.hpp"
#include "kernels/affine/affine.hpp"
#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/channel_statistics.hpp"

namespace ascore {

namespace {
constexpr double kMomentum = 0.1;

/// The normalised x, and the statistics that it was normalised by.
struct Normalised {
  Tensor y, mean, rstd;
};

/// By the batch's own statistics; `running` advances.
Normalised train(Ctx& ctx, const Measured& measured, const Tensor& gamma, const Tensor& beta, RunningStatistics running,
                 double eps) {
  const Tensor& x = measured.images;
  const DType wide = accumulator(x.dtype());
  Normalised made{ctx.empty_like(x), ctx.empty({x.dim(-1)}, wide), ctx.empty({x.dim(-1)}, wide)};
  const auto bytes = static_cast<int64_t>(kernels::batch_norm_workspace_bytes(x.shape(), x.dtype()));
  Tensor workspace = ctx.empty({bytes}, DType::u8, MemoryKind::workspace);
  kernels::batch_norm(ctx.stream, x, gamma, beta, eps, kMomentum, made.y, made.mean, made.rstd, running.mean,
                      running.variance, workspace, measured.runs);
  kernels::affine(ctx.stream, running.batches, 1, 1, running.batches);
  return made;
}

/// Statistics to advance where a batch is normalised again, having been seen already.
RunningStatistics nobodys(Ctx& ctx, const RunningStatistics& like) {
  const auto zeros = [&](const Tensor& x) { return ctx.zeros(x.shape(), x.dtype()); };
  return {zeros(like.mean), zeros(like.variance), zeros(like.batches)};
}

/// False where a segment of the tape runs again.
bool is_first_run(Ctx& ctx) {
  bool first = !ctx.tape;
  if (ctx.tape) {
    ctx.tape->once([&] {
      first = true;
      return std::vector<Tensor>();
    });
  }
  return first;
}

Normalised by_running(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& beta,
                      const RunningStatistics& running, double eps) {
  Normalised made{ctx.empty_like(x), running.mean, ctx.empty({x.dim(-1)}, accumulator(x.dtype()))};
  kernels::inverse_deviation(ctx.stream, running.variance, 1, eps, made.rstd);
  kernels::channel_norm(ctx.stream, x, made.mean, made.rstd, gamma, beta, Activation::identity, made.y);
  return made;
}
}  // namespace

Tensor batch_norm(Ctx& ctx, const Measured& measured, const Tensor& gamma, const Tensor& beta,
                  RunningStatistics& running, double eps) {
  const Tensor& x = measured.images;
  const auto [y, mean, rstd] =
      ctx.training ? train(ctx, measured, gamma, beta, is_first_run(ctx) ? running : nobodys(ctx, running), eps)
                   : by_running(ctx, x, gamma, beta, running, eps);
  if (ctx.tape) {
    const auto statistics = ctx.training ? kernels::BatchStatistics::of_the_batch : kernels::BatchStatistics::running;
    if (ctx.training) {
      remake_if_asked(ctx, y, [=, mean = mean, rstd = rstd](Ctx& c) {
        Tensor again = c.empty_like(x);
        kernels::channel_norm(c.stream, x, mean, rstd, gamma, beta, Activation::identity, again);
        return again;
      });
    }
    ctx.tape->record("batch_norm", {x, gamma, beta}, y, [=, mean = mean, rstd = rstd](Backward& backward) {
      const View scratch = backward.workspace(kernels::batch_norm_backward_workspace_bytes(x.shape(), x.dtype()));
      kernels::batch_norm_backward(backward.stream, statistics, x, gamma, mean, rstd, backward.grad_out(),
                                   backward.grad_in(0), backward.grad_in(1), backward.grad_in(2), scratch);
    });
  }
  return y;
}

}  // namespace ascore
