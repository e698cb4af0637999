#include "models/residual_block.hpp"

#include "engine/autograd/checkpoint.hpp"
#include "engine/autograd/pad_top_left.hpp"
#include "engine/nn/pooled_conv2d.hpp"

namespace ascore {

namespace {
/// Convolution, then 2x2 mean pooling: [N,H,W,in] -> [N,H/2,W/2,out]. The convolution's name is "conv", or "conv.1"
/// where zeros come before it.
class ConvMeanPool final : public Convolution {
 public:
  ConvMeanPool(int64_t in, int64_t out, int kernel, const NcsnStyle& style, bool pad_odd)
      : pad_odd_(pad_odd),
        order_(kernel == 1           ? Order::means_first
               : style.spectral_norm ? Order::last
                                     : Order::along) {
    const char* name = pad_odd ? "conv.1" : "conv";
    if (order_ == Order::along) {
      conv_ = add<PooledConv2d>(name, in, out, kernel);
    } else {
      conv_ = add_conv(*this, style, name, in, out, kernel);
    }
  }
  using Convolution::forward;
  Activated forward(Ctx& ctx, const Activated& x, const Epilogue& epilogue) const override {
    const ModuleScope scope(ctx, *this);
    const Activated in = pad_odd_ ? Activated(pad_top_left(ctx, x.value)) : x;
    switch (order_) {
      case Order::means_first:
        return conv_->forward(ctx, mean_pool2(ctx, in.value), epilogue);
      case Order::along:
        return conv_->forward(ctx, in, epilogue);
      case Order::last:
        break;
    }
    const Tensor means = mean_pool2(ctx, conv_->forward(ctx, in, {}).value);
    return activated(ctx, epilogue.residual ? ascore::add(ctx, epilogue.residual, means) : means, epilogue.activation,
                     epilogue.slope);
  }

 private:
  /// Means commute with a product by one tap (fewer products), and are sums of weights with more.
  enum class Order : uint8_t { means_first, along, last };
  bool pad_odd_;
  Order order_;
  Convolution* conv_;
};
}  // namespace

ResidualBlock::ResidualBlock(int64_t in, int64_t out, Resample resample, int dilation, const NcsnStyle& style,
                             bool pad_odd)
    : act_(style.act) {
  const bool down = resample == Resample::down, pool = down && dilation == 1;  // a dilated block keeps its resolution
  const int64_t mid = down ? in : out;
  normalize1_ = add_norm(*this, style, "normalize1", in);
  conv1_ = add_conv(*this, style, "conv1", in, mid, 3, dilation);
  normalize2_ = add_norm(*this, style, "normalize2", mid);
  if (pool) {
    conv2_ = add<ConvMeanPool>("conv2", mid, out, 3, style, pad_odd);
    shortcut_ = add<ConvMeanPool>("shortcut", in, out, 1, style, pad_odd);
    return;
  }
  conv2_ = add_conv(*this, style, "conv2", mid, out, 3, dilation);
  if (in != out || down) shortcut_ = add_conv(*this, style, "shortcut", in, out, dilation == 1 ? 1 : 3, dilation);
}

Activated ResidualBlock::forward(Ctx& ctx, const Tensor& x, const Epilogue& last) const {  // [N,H,W,in]
  return checkpoint(ctx, [this, x, last](Ctx& c) { return block(c, x, last); });
}

Activated ResidualBlock::block(Ctx& ctx, const Tensor& x, const Epilogue& last) const {
  const ModuleScope scope(ctx, *this);
  const Tensor shortcut = shortcut_ ? shortcut_->forward(ctx, x) : x;  // [N,H',W',out]
  const Activated h =
      conv1_->forward(ctx, act_.of(ctx, *normalize1_, x), {.measure = normalize2_->measures(ctx)});  // [N,H,W,mid]
  const Activated active = act_.of(ctx, *normalize2_, Measured::raw(h));
  Epilogue with_shortcut = last;
  with_shortcut.residual = shortcut;
  return conv2_->forward(ctx, active, with_shortcut);
}

}  // namespace ascore
