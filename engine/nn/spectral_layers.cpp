#include "engine/nn/spectral_layers.hpp"

namespace ascore {

namespace {
/// The weight over its singular value; advances the buffers in training mode.
Tensor normalized(Ctx& ctx, const Parameter& weight, const Parameter& u, const Parameter& sv) {
  SpectralNorm state{u.value, sv.value};
  return spectral_normalize(ctx, weight.value, state);
}
}  // namespace

SpectralConv2d::SpectralConv2d(int64_t in, int64_t out, int kernel, bool bias)
    : weight_(parameter("weight", {out, kernel, kernel, in}, Init::xavier_uniform(), ParameterLayout::conv)),
      bias_(bias ? parameter("bias", {out}, Init::fan_in_uniform(in * kernel * kernel)) : nullptr),
      u_(buffer("u0", {1, out}, Init::normal(0, 1))),
      sv_(buffer("sv0", {1}, Init::constant(1))) {}

Tensor SpectralConv2d::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return conv2d(ctx, x, normalized(ctx, *weight_, *u_, *sv_), bias_ ? bias_->value : Tensor());
}

Tensor SpectralConv2d::forward(Ctx& ctx, const Tensor& x, const Tensor& gain) const {
  const ModuleScope scope(ctx, *this);
  const Tensor column = reshape(ctx, normalized(ctx, *weight_, *u_, *sv_), {weight_->shape.count(), 1});
  const Tensor scaled = linear(ctx, column, reshape(ctx, gain, {1, 1}), {});
  return conv2d(ctx, x, reshape(ctx, scaled, weight_->shape), {});
}

SpectralLinear::SpectralLinear(int64_t in, int64_t out)
    : weight_(parameter("weight", {out, in}, Init::xavier_uniform())),
      bias_(parameter("bias", {out}, Init::fan_in_uniform(in))),
      u_(buffer("u0", {1, out}, Init::normal(0, 1))),
      sv_(buffer("sv0", {1}, Init::constant(1))) {}

Tensor SpectralLinear::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return linear(ctx, x, normalized(ctx, *weight_, *u_, *sv_), bias_->value);
}

}  // namespace ascore
