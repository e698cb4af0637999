#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// Multi-scale structural similarity of x and y, [N,H,W,C] with sides above 160, averaged over images and channels: a
/// scalar, 1 where they are equal. f32 or f64. Differentiable in x only.
Tensor ms_ssim(Ctx& ctx, const Tensor& x, const Tensor& y);

}  // namespace ascore
