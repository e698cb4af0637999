#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// Every image's matrix transposed: [N,A,B] -> [N,B,A].
Tensor transpose(Ctx& ctx, const Tensor& x);

}  // namespace ascore
