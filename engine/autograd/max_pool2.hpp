#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// 2x2 maximum, stride 2: [N,2H,2W,C] -> [N,H,W,C]; ties go to the first in row order.
Tensor max_pool2(Ctx& ctx, const Tensor& x);

}  // namespace ascore
