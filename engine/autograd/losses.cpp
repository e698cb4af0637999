#include "engine/autograd/ms_ssim.hpp"
#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/add_scaled_rows/add_scaled_rows.hpp"
#include "kernels/affine/affine.hpp"
#include "kernels/fill/fill.hpp"
#include "kernels/gan_loss/gan_loss.hpp"
#include "kernels/score_loss/score_loss.hpp"

#include <algorithm>

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

namespace {

/// 0.16 l1 + 0.84 (1 - similarity) for each of a sample's elements, averaged over the batch (Zhao et al. 2017,
/// arXiv:1511.08861). `per_sample`, if present, receives each sample's.
Tensor l1_msssim_loss(Ctx& ctx, const Tensor& s, const Tensor& target, Tensor per_sample) {
  constexpr double kDistance = 0.16, kSimilarity = 0.84;
  const int64_t samples = s.dim(0);
  const double weight = kSimilarity * static_cast<double>(s.count() / std::max<int64_t>(samples, 1));
  Tensor distances = ctx.empty(Shape{samples}, s.dtype());
  const Tensor distance = dsm_loss(ctx, s, target, DsmLoss::l1, distances);
  const Tensor missing = affine(ctx, ms_ssim(ctx, s, target), -weight, weight);
  if (per_sample) {
    Tensor ones = ctx.empty({1, samples}, s.dtype());
    kernels::fill(ctx.stream, ones, 1);
    kernels::affine(ctx.stream, distances, kDistance, 0, distances);
    kernels::add_scaled_rows(ctx.stream, distances.alias({1, samples}), missing.alias({1}), ones,
                             per_sample.alias({1, samples}).view());
  }
  return add(ctx, scale(ctx, distance, kDistance), missing);
}

}  // namespace

Tensor dsm_loss(Ctx& ctx, const Tensor& s, const Tensor& target, DsmLoss kind, Tensor per_sample) {
  if (kind == DsmLoss::l1_msssim) return l1_msssim_loss(ctx, s, target, per_sample);
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
