#include "engine/nn/layers.hpp"

#include "engine/autograd/normalization.hpp"

namespace ascore {

Tensor to_dtype(Ctx& ctx, const Tensor& x, DType dtype) {
  return x.dtype() == dtype ? x : cast(ctx, x, dtype);
}

Tensor to_compute(Ctx& ctx, const Tensor& x) {
  return x.dtype() == DType::f64 ? x : to_dtype(ctx, x, ctx.compute);
}

Conv2d::Conv2d(int64_t in, int64_t out, int kernel, int dilation, bool bias, int stride, const LayerInit& init)
    : options_{.stride = stride, .dilation = dilation} {
  weight_ = parameter("weight", {out, kernel, kernel, in}, init.weight, ParameterLayout::conv);
  if (bias) bias_ = parameter("bias", {out}, init.bias.value_or(Init::fan_in_uniform(in * kernel * kernel)));
}

Activated Conv2d::forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const {
  const ModuleScope scope(ctx, *this);
  return fused_conv2d(ctx, x, weight_->value, bias_ ? bias_->value : Tensor(), options_, epilogue);
}

Linear::Linear(int64_t in, int64_t out, const LayerInit& init)
    : weight_(parameter("weight", {out, in}, init.weight)),
      bias_(parameter("bias", {out}, init.bias.value_or(Init::fan_in_uniform(in)))) {}

Tensor Linear::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return linear(ctx, x, weight_->value, bias_->value);
}

InstanceNormPlus::InstanceNormPlus(int64_t channels)
    : alpha_(parameter("alpha", {channels}, Init::normal(1, 0.02))),
      gamma_(parameter("gamma", {channels}, Init::normal(1, 0.02))),
      beta_(parameter("beta", {channels}, Init::zeros())) {}

Tensor InstanceNormPlus::normalized(Ctx& ctx, const Measured& x) const {
  return normalized(ctx, x, Activation::identity, 0).value;
}

Activated InstanceNormPlus::normalized(Ctx& ctx, const Measured& x, Activation activation, double slope) const {
  const ModuleScope scope(ctx, *this);
  return instance_norm_plus(ctx, x, gamma_->value, alpha_->value, beta_->value, activation, slope);
}

}  // namespace ascore
