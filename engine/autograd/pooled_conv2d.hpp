#pragma once

#include "engine/autograd/fused_conv2d.hpp"

namespace ascore {

/// mean_pool2(conv2d(x, weight, bias)) for an odd kernel, behind its epilogue: as one convolution of stride 2 with a
/// kernel wider by one, whose weights are sums (box_weights): 4/9 of the products of a 3x3 kernel, and no output of
/// full size. Equal but for rounding. H and W even.
Activated pooled_conv2d(Ctx& ctx, const Activated& x, const Tensor& weight, const Tensor& bias,
                        const Epilogue& epilogue);

}  // namespace ascore
