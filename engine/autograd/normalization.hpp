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

}  // namespace ascore
