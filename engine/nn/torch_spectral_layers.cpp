#include "engine/nn/torch_spectral_layers.hpp"

#include "engine/autograd/normalization.hpp"

namespace ascore {

namespace {
/// The weight over its singular value; advances the buffers in training mode.
Tensor normalized(Ctx& ctx, const Parameter& weight, const Parameter& u, const Parameter& v) {
  SpectralVectors state{u.value, v.value};
  return spectral_normalize(ctx, weight.value, state);
}
}  // namespace

TorchSpectralConv2d::TorchSpectralConv2d(int64_t in, int64_t out, int kernel, const Conv2dOptions& options, bool bias,
                                         const LayerInit& init)
    : options_(options) {
  if (bias) bias_ = parameter("bias", {out}, init.bias.value_or(Init::fan_in_uniform(in * kernel * kernel)));
  weight_ = parameter("weight_orig", {out, kernel, kernel, in}, init.weight, ParameterLayout::conv);
  u_ = buffer("weight_u", {out}, Init::unit_vector());
  v_ = buffer("weight_v", {kernel, kernel, in}, Init::unit_vector(), ParameterLayout::conv_row);
}

Activated TorchSpectralConv2d::forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const {
  const ModuleScope scope(ctx, *this);
  return fused_conv2d(ctx, x, normalized(ctx, *weight_, *u_, *v_), bias_ ? bias_->value : Tensor(), options_, epilogue);
}

TorchSpectralLinear::TorchSpectralLinear(int64_t in, int64_t out, const LayerInit& init)
    : weight_(parameter("weight_orig", {out, in}, init.weight)),
      bias_(parameter("bias", {out}, init.bias.value_or(Init::fan_in_uniform(in)))),
      u_(buffer("weight_u", {out}, Init::unit_vector())),
      v_(buffer("weight_v", {in}, Init::unit_vector())) {}

Tensor TorchSpectralLinear::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return linear(ctx, x, normalized(ctx, *weight_, *u_, *v_), bias_->value);
}

}  // namespace ascore
