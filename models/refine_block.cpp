#include "models/refine_block.hpp"

#include "engine/autograd/checkpoint.hpp"

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

Activated ResidualConvUnits::forward(Ctx& ctx, const Activated& x, const Epilogue& last) const {  // [N,H,W,C]
  const ModuleScope scope(ctx, *this);
  Activated y = x;
  for (size_t first = 0; first < convs_.size(); first += kStages) {
    const Epilogue sum = first + kStages == convs_.size() ? last : act_.epilogue(true);
    y = checkpoint(ctx, [this, first, y, sum](Ctx& c) { return unit(c, first, y, sum); });
  }
  return y;
}

Activated ResidualConvUnits::unit(Ctx& ctx, size_t first, const Activated& x, const Epilogue& last) const {
  Activated h = x;
  for (size_t stage = 0; stage + 1 < kStages; ++stage) {
    h = convs_[first + stage]->forward(ctx, h, act_.epilogue());
  }
  Epilogue sum = last;
  sum.residual = x.raw;
  return convs_[first + kStages - 1]->forward(ctx, h, sum);
}

MultiResolutionFusion::MultiResolutionFusion(std::span<const int64_t> in, int64_t out, const NcsnStyle& style) {
  for (size_t i = 0; i < in.size(); ++i)
    convs_.push_back(add_conv(*this, style, fmt::format("convs.{}", i), in[i], out, 3));
}

Activated MultiResolutionFusion::fuse(Ctx& ctx, std::span<const Tensor> inputs, const Epilogue& last) const {
  const ModuleScope scope(ctx, *this);
  const int64_t height = inputs[0].dim(1), width = inputs[0].dim(2);
  Tensor sum;
  for (size_t i = 1; i < inputs.size(); ++i) {
    const Tensor h = bilinear_resize(ctx, convs_[i]->forward(ctx, inputs[i]), height, width);  // [N,H_0,W_0,out]
    sum = sum ? ascore::add(ctx, sum, h) : h;
  }
  Epilogue with_others = last;
  with_others.residual = sum;
  return convs_[0]->forward(ctx, inputs[0], with_others);
}

ChainedResidualPooling::ChainedResidualPooling(int64_t channels, const NcsnStyle& style) {
  for (int stage = 0; stage < kStages; ++stage) {
    convs_.push_back(add_conv(*this, style, fmt::format("convs.{}", stage), channels, channels, 3, 1, false));
  }
}

Activated ChainedResidualPooling::forward(Ctx& ctx, const Tensor& x, const Epilogue& last) const {  // [N,H,W,C]
  const ModuleScope scope(ctx, *this);
  Tensor sum = x, path = x;
  for (size_t stage = 0; stage + 1 < convs_.size(); ++stage) {
    path = convs_[stage]->forward(ctx, max_pool5(ctx, path));
    sum = ascore::add(ctx, path, sum);
  }
  Epilogue with_sum = last;
  with_sum.residual = sum;
  return convs_.back()->forward(ctx, max_pool5(ctx, path), with_sum);
}

RefineBlock::RefineBlock(const std::vector<int64_t>& in, int64_t out, bool end, const NcsnStyle& style)
    : act_(style.act) {
  for (size_t i = 0; i < in.size(); ++i) {
    adapt_.push_back(add<ResidualConvUnits>(fmt::format("adapt_convs.{}", i), in[i], kAdaptBlocks, style));
  }
  output_ = add<ResidualConvUnits>("output_convs", out, end ? kLastOutputs : 1, style);
  if (in.size() > 1) fusion_ = add<MultiResolutionFusion>("msf", in, out, style);
  pooling_ = add<ChainedResidualPooling>("crp", out, style);
}

Activated RefineBlock::refine(Ctx& ctx, std::span<const Activated> inputs, const Epilogue& last) const {
  const std::vector<Activated> held(inputs.begin(), inputs.end());
  return checkpoint(ctx, [this, held, last](Ctx& c) { return block(c, held, last); });
}

Activated RefineBlock::block(Ctx& ctx, std::span<const Activated> inputs, const Epilogue& last) const {
  const ModuleScope scope(ctx, *this);
  Tensor h;  // act of the inputs' sum: [N,H_0,W_0,out]
  if (fusion_) {
    std::vector<Tensor> adapted;
    for (size_t i = 0; i < inputs.size(); ++i) adapted.push_back(adapt_[i]->forward(ctx, inputs[i], {}).value);
    h = fusion_->fuse(ctx, adapted, act_.epilogue()).value;
  } else {
    h = adapt_[0]->forward(ctx, inputs[0], act_.epilogue()).value;
  }
  const Activated pooled = checkpoint(ctx, [this, h](Ctx& c) { return pooling_->forward(c, h, act_.epilogue(true)); });
  return output_->forward(ctx, pooled, last);
}

}  // namespace ascore
