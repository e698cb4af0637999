#include "engine/nn/upsampled_conv2d.hpp"

#include "engine/autograd/upsampled_conv2d.hpp"

namespace ascore {

UpsampledConv2d::UpsampledConv2d(int64_t in, int64_t out, int kernel, const LayerInit& init)
    : weight_(parameter("weight", {out, kernel, kernel, in}, init.weight, ParameterLayout::conv)),
      bias_(parameter("bias", {out}, init.bias.value_or(Init::fan_in_uniform(in * kernel * kernel)))) {}

Tensor UpsampledConv2d::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return upsampled_conv2d(ctx, x, weight_->value, bias_->value);
}

}  // namespace ascore
