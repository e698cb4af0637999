#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// Channels of a and then of b: [N,H,W,A], [N,H,W,B] -> [N,H,W,A+B], of one dtype.
Tensor concat_channels(Ctx& ctx, const Tensor& a, const Tensor& b);

}  // namespace ascore
