#pragma once

#include "engine/autograd/fused_conv2d.hpp"
#include "engine/nn/module.hpp"

namespace ascore {

/// A layer that convolves: [N,H,W,in] -> [N,H',W',out].
class Convolution : public Module {
 public:
  Tensor forward(Ctx& ctx, const Tensor& x) const override { return forward(ctx, x, {}).value; }
  /// fused_conv2d with the layer's weights: of an activation, and with what follows in the same pass.
  virtual Activated forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const = 0;
};

}  // namespace ascore
