#pragma once

#include "engine/autograd/context.hpp"
#include "kernels/activation/activation.hpp"

#include <cstdint>

/// Operations of two images joined along their channels, a [N,H,W,A] and b [N,H,W,B], that never store them as one:
/// what stands behind a skip connection. By the rules of operations.hpp.
namespace ascore {

/// group_norm of the joined channels, then `activation` (identity or silu): [N,H,W,A+B]. gamma, beta [A+B], or absent.
Tensor joined_group_norm(Ctx& ctx, const Tensor& a, const Tensor& b, const Tensor& gamma, const Tensor& beta,
                         int64_t groups, double eps, Activation activation = Activation::identity);

/// A linear layer at every pixel of the joined channels: weight [O,A+B], bias [O] or absent -> [N,H,W,O]. As two 1x1
/// convolutions by copies of the weight's columns; the second adds what the first has stored.
Tensor joined_pixel_linear(Ctx& ctx, const Tensor& a, const Tensor& b, const Tensor& weight, const Tensor& bias);

}  // namespace ascore
