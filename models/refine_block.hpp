#pragma once

#include "models/ncsn_style.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ascore {

/// Residual convolution units (Lin et al. 2016, arXiv:1611.06612): `blocks` times x + conv(act(conv(act(x)))), without
/// biases. [N,H,W,C] -> the same. Names: "1_1_conv", "1_2_conv", "2_1_conv", ...
class ResidualConvUnits final : public Module {
 public:
  ResidualConvUnits(int64_t channels, int blocks, const NcsnStyle& style);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Nonlinearity act_;
  std::vector<Module*> convs_;  // two per block
};

/// Multi-resolution fusion: a convolution on each input, resized to one size and added.
class MultiResolutionFusion final : public Module {
 public:
  MultiResolutionFusion(std::span<const int64_t> in, int64_t out, const NcsnStyle& style);
  /// inputs [N,H_i,W_i,in_i] -> [N,height,width,out]
  Tensor fuse(Ctx& ctx, std::span<const Tensor> inputs, int64_t height, int64_t width) const;

 private:
  std::vector<Module*> convs_;
};

/// Chained residual pooling: x = act(x); twice path = conv(max_pool5(path)), x += path. [N,H,W,C] -> the same.
class ChainedResidualPooling final : public Module {
 public:
  ChainedResidualPooling(int64_t channels, const NcsnStyle& style);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Nonlinearity act_;
  std::vector<Module*> convs_;
};

/// A block of RefineNet: units on each input, fusion at the first input's size, chained pooling, output units.
class RefineBlock final : public Module {
 public:
  /// `end`: the last block of the network, with three output units instead of one.
  RefineBlock(const std::vector<int64_t>& in, int64_t out, bool end, const NcsnStyle& style);
  /// inputs [N,H_i,W_i,in_i] -> [N,H_0,W_0,out]
  Tensor refine(Ctx& ctx, std::span<const Tensor> inputs) const;

 private:
  std::vector<Module*> adapt_;
  MultiResolutionFusion* fusion_ = nullptr;
  Module *pooling_, *output_;
};

}  // namespace ascore
