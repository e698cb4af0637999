#pragma once

#include "models/ncsn_style.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ascore {

/// Residual convolution units (Lin et al. 2016, arXiv:1611.06612): `blocks` times x + conv(act(conv(act(x)))), without
/// biases; x comes with act(x), and `last` says what the last unit's sum is wanted as. [N,H,W,C] -> the same. Names:
/// "1_1_conv", "1_2_conv", "2_1_conv", ...
class ResidualConvUnits final : public Module {
 public:
  ResidualConvUnits(int64_t channels, int blocks, const NcsnStyle& style);
  Activated forward(Ctx& ctx, const Activated& x, const Epilogue& last) const;

 private:
  Activated unit(Ctx& ctx, size_t first, const Activated& x, const Epilogue& last) const;

  Nonlinearity act_;
  std::vector<Convolution*> convs_;  // two per block
};

/// Multi-resolution fusion: a convolution on each input, resized to the first one's size and added.
class MultiResolutionFusion final : public Module {
 public:
  MultiResolutionFusion(std::span<const int64_t> in, int64_t out, const NcsnStyle& style);
  /// inputs [N,H_i,W_i,in_i] -> [N,H_0,W_0,out], as `last` says.
  Activated fuse(Ctx& ctx, std::span<const Tensor> inputs, const Epilogue& last) const;

 private:
  std::vector<Convolution*> convs_;
};

/// Chained residual pooling of x = path = an activation: twice path = conv(max_pool5(path)), x += path; the last sum as
/// `last` says. [N,H,W,C] -> the same.
class ChainedResidualPooling final : public Module {
 public:
  ChainedResidualPooling(int64_t channels, const NcsnStyle& style);
  Activated forward(Ctx& ctx, const Tensor& x, const Epilogue& last) const;

 private:
  std::vector<Convolution*> convs_;
};

/// A block of RefineNet: units on each input, fusion at the first input's size, chained pooling, output units.
class RefineBlock final : public Module {
 public:
  /// `end`: the last block of the network, with three output units instead of one.
  RefineBlock(const std::vector<int64_t>& in, int64_t out, bool end, const NcsnStyle& style);
  /// inputs [N,H_i,W_i,in_i], with their activations -> [N,H_0,W_0,out], as `last` says.
  Activated refine(Ctx& ctx, std::span<const Activated> inputs, const Epilogue& last) const;

 private:
  Activated block(Ctx& ctx, std::span<const Activated> inputs, const Epilogue& last) const;

  Nonlinearity act_;
  std::vector<ResidualConvUnits*> adapt_;
  MultiResolutionFusion* fusion_ = nullptr;
  ChainedResidualPooling* pooling_;
  ResidualConvUnits* output_;
};

}  // namespace ascore
