#pragma once

#include "engine/autograd/context.hpp"
#include "kernels/activation/activation.hpp"

#include <cstdint>

/// Differentiable normalisations beside instance_norm_plus (operations.hpp), by the rules of operations.hpp.
namespace ascore {

/// Group normalization (Wu & He 2018, arXiv:1803.08494) of x [N,H,W,C] over `groups` groups of adjacent channels of
/// each image, biased variance, then `activation` (identity or silu) in the same pass. gamma, beta [C], or absent.
Tensor group_norm(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& beta, int64_t groups, double eps,
                  Activation activation = Activation::identity);
/// Instance normalization without parameters: group_norm of one channel per group, eps 1e-5.
Tensor instance_norm(Ctx& ctx, const Tensor& x);

/// alpha_c x / sqrt(unbiased variance over the pixels + 1e-5), channel by channel; alpha [C].
Tensor variance_norm(Ctx& ctx, const Tensor& x, const Tensor& alpha);

/// What batch normalization has seen so far: means and unbiased variances [C], and the number of batches (one element).
struct RunningStatistics {
  Tensor mean, variance, batches;
};
/// Batch normalization (Ioffe & Szegedy 2015, arXiv:1502.03167) as PyTorch's BatchNorm2d with momentum 0.1: gamma, beta
/// [C]. In training by the batch's own statistics, and `running` advances; else by those of `running`.
Tensor batch_norm(Ctx& ctx, const Tensor& x, const Tensor& gamma, const Tensor& beta, RunningStatistics& running,
                  double eps = 1e-5);

}  // namespace ascore
