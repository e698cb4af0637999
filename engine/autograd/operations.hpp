#pragma once

#include "engine/autograd/context.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/gan_loss/gan_loss.hpp"
#include "kernels/score_loss/score_loss.hpp"

/// The differentiable operations: each runs its kernels and, if the tape tracks an input, records what backward needs.
/// One .cpp file per family beside this header. Shapes are NHWC; an absent tensor stands for an optional argument.
/// Activations are f32, bf16 or f64 (cpu); parameters f32 (f64 with f64) and get f32 (f64) gradients.
/// Errors are those of the kernels (ShapeError, DTypeError, before anything runs).
namespace ascore {

// ---- elementwise -----------------------------------------------------------------------------------------------

/// a + b, of one shape and dtype.
Tensor add(Ctx& ctx, const Tensor& a, const Tensor& b);
/// factor x.
Tensor scale(Ctx& ctx, const Tensor& x, double factor);
/// factor x + shift, e.g. 2x - 1.
Tensor affine(Ctx& ctx, const Tensor& x, double factor, double shift);
/// min(max(x, low), high); the gradient is zero outside [low, high] and passes on the borders (as PyTorch).
Tensor clamp(Ctx& ctx, const Tensor& x, double low, double high);
/// x in another floating dtype; the gradient is cast back.
Tensor cast(Ctx& ctx, const Tensor& x, DType dtype);
/// The same elements under another shape; no copy.
Tensor reshape(Ctx& ctx, const Tensor& x, const Shape& shape);
/// x [N,D] with per-row value c [N] (of x's dtype) appended: [N,D+1]. c gets no gradient.
Tensor append_column(Ctx& ctx, const Tensor& x, const Tensor& c);

// ---- activations ---------------------------------------------------------------------------------------------

/// f(x) of kernels/activation; `slope` is used by leaky_relu only.
Tensor activate(Ctx& ctx, const Tensor& x, Activation activation, double slope = 0.01);

// ---- products --------------------------------------------------------------------------------------------------

struct Conv2dOptions {
  int stride = 1;  ///< outputs at every stride-th pixel
  int dilation = 1;
};
/// x [N,H,W,I], weight [O,k,k,I], bias [O] or absent -> [N,H',W',O] with zero padding dilation (k-1)/2, rounded down:
/// H' = (H-1)/stride+1 for an odd k, (H-1-dilation)/stride+1 for an even one.
Tensor conv2d(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options = {});
/// x [N,I], weight [O,I], bias [O] or absent -> x weight^T + bias [N,O].
Tensor linear(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias);

// ---- normalisation ---------------------------------------------------------------------------------------------

/// InstanceNorm++ (Song & Ermon 2020, arXiv:2006.09011): x [N,H,W,C]; gamma, alpha, beta [C]; eps 1e-5.
Tensor instance_norm_plus(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& alpha, const Tensor& beta);

struct SpectralNorm {
  Tensor u;   ///< [1,O] or [O]: start vector of the power iteration; advanced in place when ctx.training
  Tensor sv;  ///< [1]: last singular value, written when ctx.training (BigGAN's buffer sv0); may be absent
};
/// weight / sigma_max(weight as [O, rest]), by one power iteration from state.u (BigGAN: v from u, then u from v; both
/// constants for the gradient; eps 1e-12). In evaluation the iteration is used and discarded. Any rank; dim 0 is O.
Tensor spectral_normalize(Ctx& ctx, const Tensor& weight, SpectralNorm& state);

// ---- pooling and resampling ------------------------------------------------------------------------------------

/// 5x5 maximum, stride 1, padding 2 with -inf; ties go to the first in row order.
Tensor max_pool5(Ctx& ctx, const Tensor& x);
/// 2x2 mean, stride 2; H and W even.
Tensor mean_pool2(Ctx& ctx, const Tensor& x);
/// Bilinear, corners aligned: [N,H,W,C] -> [N,height,width,C].
Tensor bilinear_resize(Ctx& ctx, const Tensor& x, int64_t height, int64_t width);
/// Nearest neighbour, twice as high and wide.
Tensor upsample_nearest2(Ctx& ctx, const Tensor& x);
/// Sum over pixels: [N,H,W,C] -> [N,C].
Tensor pixel_sum(Ctx& ctx, const Tensor& x);

// ---- losses ------------------------------------------------------------------------------------------------------

/// H(x) = x + sigma s by Tweedie's formula; x, s of one shape (f32/f64), sigma [N] of the same dtype. Differentiable in
/// s only.
Tensor tweedie(Ctx& ctx, const Tensor& x, const Tensor& s, const Tensor& sigma);

/// Mean over the batch of the per-sample denoising score matching loss of s against `target` (-z, or x for `dae`):
/// l2: 0.5 sum (s - target)^2, l1: sum |s - target|, l1_msssim: sum of 0.16 |s - target| + 0.84 (1 - ms_ssim(s,
/// target)), with one similarity for the batch (images of sides above 160). s, target [N,...] f32/f64; result a scalar
/// []. `per_sample` [N], if present, receives each sample's loss.
Tensor dsm_loss(Ctx& ctx, const Tensor& s, const Tensor& target, DsmLoss kind, Tensor per_sample = {});

/// loss_D of mathematics.md's table; real, fake [N] (or [N,1]) f32/f64 critic outputs; a scalar []. Differentiable in
/// both.
Tensor critic_loss(Ctx& ctx, GanLoss kind, const Tensor& real, const Tensor& fake);
/// loss_G of the same table.
Tensor generator_loss(Ctx& ctx, GanLoss kind, const Tensor& real, const Tensor& fake);

}  // namespace ascore
