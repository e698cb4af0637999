#include "engine/nn/pooled_conv2d.hpp"

#include "engine/autograd/pooled_conv2d.hpp"

namespace ascore {

PooledConv2d::PooledConv2d(int64_t in, int64_t out, int kernel)
    : weight_(parameter("weight", {out, kernel, kernel, in}, LayerInit{}.weight, ParameterLayout::conv)),
      bias_(parameter("bias", {out}, Init::fan_in_uniform(in * kernel * kernel))) {}

Activated PooledConv2d::forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const {
  const ModuleScope scope(ctx, *this);
  return pooled_conv2d(ctx, x, weight_->value, bias_->value, epilogue);
}

}  // namespace ascore
