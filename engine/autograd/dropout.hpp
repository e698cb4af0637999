#pragma once

#include "engine/autograd/context.hpp"

#include <cstdint>

namespace ascore {

/// In training, drops each channel of each image of x [N,H,W,C] with probability p and divides the others by 1 - p;
/// else x itself. The draw is a function of ctx.random, the sample and `layer` (below 2^16), which a network numbers
/// its dropout layers by; backward draws again. Throws Error in training if ctx.random is not set.
Tensor dropout_channels(Ctx& ctx, const Tensor& x, double p, uint32_t layer);

}  // namespace ascore
