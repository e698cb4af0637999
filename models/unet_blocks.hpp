#pragma once

#include "engine/nn/layers.hpp"
#include "engine/nn/normalization_layers.hpp"

#include <cstdint>

namespace ascore {

/// Of every group normalisation of a UNet.
inline constexpr double kUNetNormEps = 1e-6;

/// How the layers of one part of a UNet start.
struct UNetInit {
  LayerInit conv;           ///< convolutions and linear layers
  LayerInit closing;        ///< a block's second convolution
  LayerInit projection;     ///< per-pixel linear layers
  LayerInit attention_out;  ///< the one that closes an attention block
};

/// What all blocks of a UNet are made with.
struct UNetStyle {
  int64_t groups = 32;    ///< of every group normalisation
  double dropout = 0;     ///< share of channels that training drops
  int64_t embedding = 0;  ///< width of the noise level's embedding; 0: none
};

/// The same linear layer at every pixel: [...,in] -> [...,out]. Parameters weights [out,in], bias [out].
class PixelLinear final : public Module {
 public:
  PixelLinear(int64_t in, int64_t out, const LayerInit& init);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;
  /// Of a and b [N,H,W,C] joined along their channels.
  Tensor forward(Ctx& ctx, const Tensor& a, const Tensor& b) const;

 private:
  Parameter *weights_, *bias_;
};

/// The residual block of DDPM (Ho et al. 2020, arXiv:2006.11239): h = conv0(silu(norm0(x))), h += dense(embedding), h =
/// conv1(dropout(silu(norm1(h)))), plus x or its projection. [N,H,W,in] -> [N,H,W,out].
class UNetBlock final : public Module {
 public:
  /// `number` among the network's blocks, by which their dropout differs.
  UNetBlock(int64_t in, int64_t out, const UNetStyle& style, const UNetInit& init, uint32_t number);
  /// embedding [N,E], or absent for an unconditional block. `skip`, unless absent, joins x along the channels, for a
  /// block of fewer channels out than in; the two are never stored as one.
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& embedding, const Tensor& skip = {}) const;

 private:
  Tensor block(Ctx& ctx, const Tensor& x, const Tensor& embedding, const Tensor& skip) const;

  GroupNorm* normalize0_;
  GroupNorm* normalize1_;
  Module *dense_ = nullptr, *dropout_ = nullptr;
  Convolution *conv0_, *conv1_;
  PixelLinear* projection_ = nullptr;  // null: the identity
};

/// Self-attention of one head over all pixels: x + OUT(softmax(Q K^T / sqrt(C)) V) of the normalised x. [N,H,W,C] ->
/// the same.
class UNetAttention final : public Module {
 public:
  UNetAttention(int64_t channels, const UNetStyle& style, const UNetInit& init);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Tensor block(Ctx& ctx, const Tensor& x) const;

  int64_t channels_;
  ParameterStack *weights_, *bias_;  // of Q, K and V
  Module *normalize_, *out_;
};

/// Twice as high and wide by nearest neighbours, then a 3x3 convolution "conv", both in one: [N,H,W,C] -> [N,2H,2W,C].
class UNetUpsample final : public Module {
 public:
  UNetUpsample(int64_t channels, const LayerInit& init);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Module* conv_;
};

}  // namespace ascore
