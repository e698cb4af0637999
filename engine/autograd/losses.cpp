#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/add_scaled_rows/add_scaled_rows.hpp"
#include "kernels/gan_loss/gan_loss.hpp"
#include "kernels/score_loss/score_loss.hpp"

namespace ascore {

Tensor tweedie(Ctx& ctx, const Tensor& x, const Tensor& s, const Tensor& sigma) {
  Tensor denoised = ctx.empty_like(s);
  kernels::add_scaled_rows(ctx.stream, x, sigma, s, denoised);
  if (ctx.tape) {
    ctx.tape->record("tweedie", {s}, denoised, [sigma](Backward& backward) {
      kernels::add_scaled_rows(backward.stream, {}, sigma, backward.grad_out(), backward.grad_in(0));
    });
  }
  return denoised;
}

Tensor dsm_loss(Ctx& ctx, const Tensor& s, const Tensor& target, DsmLoss kind, Tensor per_sample) {
  if (!per_sample) per_sample = ctx.empty(Shape{s.dim(0)}, s.dtype());
  Tensor mean = ctx.empty(Shape{}, s.dtype()), workspace;
  if (const size_t bytes = kernels::score_loss_workspace_bytes(s.shape())) {
    workspace = ctx.empty(Shape{static_cast<int64_t>(bytes)}, DType::u8, MemoryKind::workspace);
  }
  kernels::score_loss(ctx.stream, kind, s, target, per_sample, mean, workspace);
  if (ctx.tape) {
    ctx.tape->record("dsm_loss", {s}, mean, [s, target, kind](Backward& backward) {
      kernels::score_loss_backward(backward.stream, kind, s, target, backward.grad_out(), backward.grad_in(0));
    });
  }
  return mean;
}

namespace {

Tensor gan_loss(Ctx& ctx, const char* operation, GanLoss kind, GanPlayer player, const Tensor& real,
                const Tensor& fake) {
  Tensor loss = ctx.empty(Shape{}, real.dtype());
  kernels::gan_loss(ctx.stream, kind, player, real, fake, loss);
  if (ctx.tape) {
    ctx.tape->record(operation, {real, fake}, loss, [kind, player, real, fake](Backward& backward) {
      kernels::gan_loss_backward(backward.stream, kind, player, real, fake, backward.grad_out(), backward.grad_in(0),
                                 backward.grad_in(1));
    });
  }
  return loss;
}

}  // namespace

Tensor critic_loss(Ctx& ctx, GanLoss kind, const Tensor& real, const Tensor& fake) {
  return gan_loss(ctx, "critic_loss", kind, GanPlayer::critic, real, fake);
}

Tensor generator_loss(Ctx& ctx, GanLoss kind, const Tensor& real, const Tensor& fake) {
  return gan_loss(ctx, "generator_loss", kind, GanPlayer::generator, real, fake);
}

}  // namespace ascore
