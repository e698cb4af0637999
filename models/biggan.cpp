#include "models/biggan.hpp"

#include "engine/nn/layers.hpp"
#include "engine/nn/spectral_layers.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kDefaultWidth = 64;

/// One block of the table: output width in units of ch, and whether it halves the image.
struct BlockPlan {
  int64_t width;
  bool down;
};

std::vector<BlockPlan> plan(const Shape& sample) {
  const int64_t size = sample.rank() == 3 && sample[0] == sample[1] ? sample[0] : 0;
  if (size == 64) return {{1, true}, {2, true}, {4, true}, {8, true}, {16, false}};
  if (size == 8 || size == 16 || size == 28 || size == 32) return {{4, true}, {4, true}, {4, false}, {4, false}};
  throw ConfigError(fmt::format("critic biggan: needs square images [H,W,C] of 8, 16, 28, 32 or 64 pixels, not {}",
                                to_string(sample)));
}

/// conv2(relu(conv1(relu x))), halved where it is `down`, plus shortcut: [N,H,W,in] -> [N,H',W',out]. The network's
/// first block has no relu before conv1, and pools before the shortcut's convolution instead of after.
class CriticBlock final : public Module {
 public:
  CriticBlock(int64_t in, int64_t out, bool down, bool first) : down_(down), first_(first) {
    conv1_ = add<SpectralConv2d>("conv1", in, out, 3);
    conv2_ = add<SpectralConv2d>("conv2", out, out, 3);
    if (in != out || down) shortcut_ = add<SpectralConv2d>("conv_sc", in, out, 1);
  }

  Tensor forward(Ctx& ctx, const Tensor& x) const override {  // [N,H,W,in]
    const ModuleScope scope(ctx, *this);
    Tensor h = conv1_->forward(ctx, first_ ? x : activate(ctx, x, Activation::relu));  // [N,H,W,out]
    h = conv2_->forward(ctx, activate(ctx, h, Activation::relu));
    if (down_) h = mean_pool2(ctx, h);  // [N,H',W',out]
    return ascore::add(ctx, h, shortcut(ctx, x));
  }

 private:
  Tensor shortcut(Ctx& ctx, const Tensor& x) const {
    Tensor s = first_ && down_ ? mean_pool2(ctx, x) : x;
    if (shortcut_) s = shortcut_->forward(ctx, s);
    return !first_ && down_ ? mean_pool2(ctx, s) : s;
  }

  bool down_, first_;
  Module *conv1_, *conv2_, *shortcut_ = nullptr;  // null: the identity
};
}  // namespace

BigGanCritic::BigGanCritic(const CriticConfig& config) {
  if (config.width < 0) throw ConfigError(fmt::format("critic biggan: width {} is negative", config.width));
  const int64_t ch = config.width ? config.width : kDefaultWidth;
  const std::vector<BlockPlan> plans = plan(config.sample_shape);
  int64_t in = config.sample_shape[2];
  for (size_t i = 0; i < plans.size(); ++i) {
    const int64_t out = plans[i].width * ch;
    blocks_.push_back(add<CriticBlock>(fmt::format("blocks.{}.0", i), in, out, plans[i].down, i == 0));
    in = out;
  }
  linear_ = add<SpectralLinear>("linear", in, 1);
}

Tensor BigGanCritic::forward(Ctx& ctx, const Tensor& x) const {  // [N,H,W,C]
  Tensor h = to_compute(ctx, x);
  for (const Module* block : blocks_) h = block->forward(ctx, h);
  h = pixel_sum(ctx, activate(ctx, h, Activation::relu));  // [N,16 ch] or [N,4 ch]
  h = linear_->forward(ctx, to_dtype(ctx, h, x.dtype()));
  return reshape(ctx, h, {x.dim(0)});
}

}  // namespace ascore
