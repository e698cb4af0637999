#pragma once

#include "engine/autograd/context.hpp"

namespace ascore {

/// A row of zeros above and a column of zeros to the left: [N,H,W,C] -> [N,H+1,W+1,C].
Tensor pad_top_left(Ctx& ctx, const Tensor& x);

}  // namespace ascore
