#pragma once

#include "engine/autograd/context.hpp"
#include "engine/autograd/measured.hpp"
#include "kernels/activation/activation.hpp"

#include <cstdint>

/// Differentiable normalisations beside instance_norm_plus (operations.hpp), by the rules of operations.hpp.
namespace ascore {

/// instance_norm_plus and f of it, in one pass unless backward needs both (silu).
Activated instance_norm_plus(Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor& alpha, const Tensor& beta,
                             Activation activation, double slope = 0.01);

/// Group normalization (Wu & He 2018, arXiv:1803.08494) of x [N,H,W,C] over `groups` groups of adjacent channels of
/// each image, biased variance, then `activation` (identity or silu) in the same pass. gamma, beta [C], or absent.
Tensor group_norm(Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor& beta, int64_t groups, double eps,
                  Activation activation = Activation::identity);
/// Instance normalization without parameters: group_norm of one channel per group.
Tensor instance_norm(Ctx& ctx, const Measured& x, double eps = 1e-5);

/// alpha_c x / sqrt(unbiased variance over the pixels + 1e-5), channel by channel; alpha [C].
Tensor variance_norm(Ctx& ctx, const Measured& x, const Tensor& alpha);

/// What batch normalization has seen so far: means and unbiased variances [C], and the number of batches (one element).
struct RunningStatistics {
  Tensor mean, variance, batches;
};
/// Batch normalization (Ioffe & Szegedy 2015, arXiv:1502.03167) as PyTorch's BatchNorm2d with momentum 0.1: gamma, beta
/// [C]. In training by the batch's own statistics, and `running` advances; else by those of `running`.
Tensor batch_norm(Ctx& ctx, const Measured& x, const Tensor& gamma, const Tensor& beta, RunningStatistics& running,
                  double eps = 1e-5);

/// The vectors of PyTorch's spectral norm, of length 1: u of as many elements as the weight has outputs, v of the rest.
struct SpectralVectors {
  Tensor u, v;
};
/// weight / (u W v^T), W = weight as [O, rest], as torch.nn.utils.spectral_norm: in training after one step of power
/// iteration (v from u, then u from v; eps 1e-12), which `state` keeps; else with the vectors of `state`. The gradient
/// takes both as constants.
Tensor spectral_normalize(Ctx& ctx, const Tensor& weight, SpectralVectors& state);

/// x divided by its unbiased variance over all elements, the whole batch: x / (var + 1e-10). f32 or f64.
Tensor standardize(Ctx& ctx, const Tensor& x);

}  // namespace ascore
