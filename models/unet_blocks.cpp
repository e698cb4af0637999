#include "models/unet_blocks.hpp"

#include "engine/autograd/attention.hpp"
#include "engine/autograd/checkpoint.hpp"
#include "engine/autograd/joined.hpp"
#include "engine/nn/dropout.hpp"
#include "engine/nn/upsampled_conv2d.hpp"

#include <cmath>
#include <vector>

namespace ascore {

namespace {
/// Group normalisation, then SiLU.
GroupNorm* add_norm_silu(Module& to, const char* name, int64_t channels, const UNetStyle& style) {
  return to.add<GroupNorm>(name, channels, style.groups, kUNetNormEps, Activation::silu);
}

/// v [N,C] at every pixel of x [N,H,W,C], in x's dtype.
Tensor at_every_pixel(Ctx& ctx, const Tensor& v, const Tensor& x) {
  const Tensor one_pixel = reshape(ctx, to_dtype(ctx, v, x.dtype()), {v.dim(0), 1, 1, v.dim(1)});
  return bilinear_resize(ctx, one_pixel, x.dim(1), x.dim(2));
}

/// A linear layer at every pixel: [...,in] -> [...,out].
Tensor pixel_linear(Ctx& ctx, const Tensor& x, const Tensor& weights, const Tensor& bias) {
  const int64_t in = weights.dim(1);
  const Tensor y = linear(ctx, reshape(ctx, x, {x.count() / in, in}), weights, bias);
  std::vector<int64_t> dims(x.shape().dims().begin(), x.shape().dims().end());
  dims.back() = weights.dim(0);
  return reshape(ctx, y, Shape(dims));
}
}  // namespace

PixelLinear::PixelLinear(int64_t in, int64_t out, const LayerInit& init)
    : weights_(parameter("weights", {out, in}, init.weight)),
      bias_(parameter("bias", {out}, init.bias.value_or(Init::fan_in_uniform(in)))) {}

Tensor PixelLinear::forward(Ctx& ctx, const Tensor& x) const {  // [...,in]
  const ModuleScope scope(ctx, *this);
  return pixel_linear(ctx, x, weights_->value, bias_->value);
}

Tensor PixelLinear::forward(Ctx& ctx, const Tensor& a, const Tensor& b) const {
  const ModuleScope scope(ctx, *this);
  return joined_pixel_linear(ctx, a, b, weights_->value, bias_->value);
}

UNetBlock::UNetBlock(int64_t in, int64_t out, const UNetStyle& style, const UNetInit& init, uint32_t number)
    : normalize0_(add_norm_silu(*this, "normalize0", in, style)),
      conv0_(add<Conv2d>("conv0", in, out, 3, 1, true, 1, init.conv)) {
  if (style.embedding > 0) dense_ = add<Linear>("dense", style.embedding, out, init.conv);
  normalize1_ = add_norm_silu(*this, "normalize1", out, style);
  if (style.dropout > 0) dropout_ = add<ChannelDropout>("dropout", style.dropout, number);
  conv1_ = add<Conv2d>("conv1", out, out, 3, 1, true, 1, init.closing);
  if (in != out) projection_ = add<PixelLinear>("nin", in, out, init.projection);
}

Tensor UNetBlock::forward(Ctx& ctx, const Tensor& x, const Tensor& embedding, const Tensor& skip) const {
  return checkpoint(ctx, [this, x, embedding, skip](Ctx& c) { return block(c, x, embedding, skip); });
}

Tensor UNetBlock::block(Ctx& ctx, const Tensor& x, const Tensor& embedding, const Tensor& skip) const {
  const ModuleScope scope(ctx, *this);
  const auto of_input = [&](const auto& layer) { return skip ? layer.forward(ctx, x, skip) : layer.forward(ctx, x); };
  Epilogue level{.measure = normalize1_->measures(ctx)};
  if (dense_) level.residual = at_every_pixel(ctx, dense_->forward(ctx, embedding), x);
  Activated middle = conv0_->forward(ctx, of_input(*normalize0_), level);  // [N,H,W,out]
  Tensor h = normalize1_->normalized(ctx, Measured::raw(middle));
  middle = {};
  if (dropout_) h = dropout_->forward(ctx, h);
  return conv1_->forward(ctx, h, {.residual = projection_ ? of_input(*projection_) : x}).value;
}

UNetAttention::UNetAttention(int64_t channels, const UNetStyle& style, const UNetInit& init)
    : channels_(channels),
      weights_(stack({"Q", "K", "V"}, "weights", {channels, channels}, init.projection.weight)),
      bias_(stack({"Q", "K", "V"}, "bias", {channels}, init.projection.bias.value_or(Init::fan_in_uniform(channels)))),
      normalize_(add<GroupNorm>("normalize", channels, style.groups, kUNetNormEps, Activation::identity)),
      out_(add<PixelLinear>("OUT", channels, channels, init.attention_out)) {}

Tensor UNetAttention::forward(Ctx& ctx, const Tensor& x) const {  // [N,H,W,C]
  return checkpoint(ctx, [this, x](Ctx& c) { return block(c, x); });
}

Tensor UNetAttention::block(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  const Shape pixels = {x.dim(0), x.dim(1) * x.dim(2), channels_};
  const Tensor h = reshape(ctx, normalize_->forward(ctx, x), pixels);      // [N,HW,C]
  const Tensor qkv = pixel_linear(ctx, h, weights_->value, bias_->value);  // [N,HW,3C]
  const Tensor mixed = attention_qkv(ctx, qkv, 1 / std::sqrt(static_cast<double>(channels_)));
  return ascore::add(ctx, x, reshape(ctx, out_->forward(ctx, mixed), x.shape()));
}

UNetUpsample::UNetUpsample(int64_t channels, const LayerInit& init)
    : conv_(add<UpsampledConv2d>("conv", channels, channels, 3, init)) {}

Tensor UNetUpsample::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return conv_->forward(ctx, x);
}

}  // namespace ascore
