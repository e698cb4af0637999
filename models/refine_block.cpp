#include "models/refine_block.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int kStages = 2;       // convolutions per residual unit, poolings per chain
constexpr int kAdaptBlocks = 2;  // residual units on each input
constexpr int kLastOutputs = 3;  // residual units at the network's end
}  // namespace

ResidualConvUnits::ResidualConvUnits(int64_t channels, int blocks, const NcsnStyle& style) : act_(style.act) {
  for (int block = 1; block <= blocks; ++block) {
    for (int stage = 1; stage <= kStages; ++stage) {
      convs_.push_back(
          add_conv(*this, style, fmt::format("{}_{}_conv", block, stage), channels, channels, 3, 1, false));
    }
  }
}

Tensor ResidualConvUnits::forward(Ctx& ctx, const Tensor& x) const {  // [N,H,W,C]
  const ModuleScope scope(ctx, *this);
  Tensor y = x;
  for (size_t first = 0; first < convs_.size(); first += kStages) {
    Tensor h = y;
    for (size_t stage = 0; stage < kStages; ++stage) h = convs_[first + stage]->forward(ctx, act_(ctx, h));
    y = ascore::add(ctx, h, y);
  }
  return y;
}

MultiResolutionFusion::MultiResolutionFusion(std::span<const int64_t> in, int64_t out, const NcsnStyle& style) {
  for (size_t i = 0; i < in.size(); ++i)
    convs_.push_back(add_conv(*this, style, fmt::format("convs.{}", i), in[i], out, 3));
}

Tensor MultiResolutionFusion::fuse(Ctx& ctx, std::span<const Tensor> inputs, int64_t height, int64_t width) const {
  const ModuleScope scope(ctx, *this);
  Tensor sum;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Tensor h = convs_[i]->forward(ctx, inputs[i]);  // [N,H_i,W_i,out]
    // Resizing to its own size is the identity.
    if (h.dim(1) != height || h.dim(2) != width) h = bilinear_resize(ctx, h, height, width);
    sum = sum ? ascore::add(ctx, sum, h) : h;
  }
  return sum;
}

ChainedResidualPooling::ChainedResidualPooling(int64_t channels, const NcsnStyle& style) : act_(style.act) {
  for (int stage = 0; stage < kStages; ++stage) {
    convs_.push_back(add_conv(*this, style, fmt::format("convs.{}", stage), channels, channels, 3, 1, false));
  }
}

Tensor ChainedResidualPooling::forward(Ctx& ctx, const Tensor& x) const {  // [N,H,W,C]
  const ModuleScope scope(ctx, *this);
  Tensor sum = act_(ctx, x), path = sum;
  for (const Module* conv : convs_) {
    path = conv->forward(ctx, max_pool5(ctx, path));
    sum = ascore::add(ctx, path, sum);
  }
  return sum;
}

RefineBlock::RefineBlock(const std::vector<int64_t>& in, int64_t out, bool end, const NcsnStyle& style) {
  for (size_t i = 0; i < in.size(); ++i) {
    adapt_.push_back(add<ResidualConvUnits>(fmt::format("adapt_convs.{}", i), in[i], kAdaptBlocks, style));
  }
  output_ = add<ResidualConvUnits>("output_convs", out, end ? kLastOutputs : 1, style);
  if (in.size() > 1) fusion_ = add<MultiResolutionFusion>("msf", in, out, style);
  pooling_ = add<ChainedResidualPooling>("crp", out, style);
}

Tensor RefineBlock::refine(Ctx& ctx, std::span<const Tensor> inputs) const {
  const ModuleScope scope(ctx, *this);
  std::vector<Tensor> adapted;
  for (size_t i = 0; i < inputs.size(); ++i) adapted.push_back(adapt_[i]->forward(ctx, inputs[i]));
  Tensor h = adapted[0];
  if (fusion_) h = fusion_->fuse(ctx, adapted, inputs[0].dim(1), inputs[0].dim(2));  // [N,H_0,W_0,out]
  adapted.clear();
  return output_->forward(ctx, pooling_->forward(ctx, h));
}

}  // namespace ascore
