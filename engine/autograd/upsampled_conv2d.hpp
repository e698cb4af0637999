#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// conv2d(upsample_nearest2(x), weight, bias) for an odd kernel k, as one transposed convolution of stride 2 with a
/// kernel wider by one, whose weights are sums (upsampled_weights): for a 3x3 kernel 4/9 of the products, and the
/// doubled image is neither stored nor kept. Equal but for rounding. x [N,H,W,I], weight [O,k,k,I], bias [O] or absent
/// -> [N,2H,2W,O].
Tensor upsampled_conv2d(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace ascore
