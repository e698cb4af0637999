#include "models/biggan.hpp"

#include "engine/autograd/attention.hpp"
#include "engine/autograd/checkpoint.hpp"
#include "engine/autograd/max_pool2.hpp"
#include "engine/nn/layers.hpp"
#include "engine/nn/spectral_layers.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kDefaultWidth = 64;

/// One block of the table: output width in units of ch, the size by which attention finds it (not always the image's),
/// and whether it halves the image.
struct BlockPlan {
  int64_t width, nominal_size;
  bool down;
};

[[noreturn]] void throw_no_table(const Shape& sample) {
  throw ConfigError(fmt::format(
      "critic biggan: needs images [H,W,C] whose larger side is 8, 16, 28, 32, 64, 128 or 256 pixels, not {}",
      to_string(sample)));
}

std::vector<BlockPlan> plan(const Shape& sample) {
  if (sample.rank() != 3) throw_no_table(sample);
  switch (std::max(sample[0], sample[1])) {
    case 8:
    case 16:
    case 28:
    case 32:
      return {{4, 16, true}, {4, 16, true}, {4, 16, false}, {4, 16, false}};
    case 64:
      return {{1, 32, true}, {2, 16, true}, {4, 8, true}, {8, 4, true}, {16, 4, false}};
    case 128:
      return {{1, 64, true}, {2, 32, true}, {4, 16, true}, {8, 8, true}, {16, 4, true}, {16, 4, false}};
    case 256:
      return {{1, 128, true}, {2, 64, true}, {4, 32, true}, {8, 16, true}, {8, 8, true}, {16, 4, true}, {16, 4, false}};
    default:
      throw_no_table(sample);
  }
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
    return checkpoint(ctx, [this, x](Ctx& c) { return block(c, x); });
  }

 private:
  Tensor block(Ctx& ctx, const Tensor& x) const {
    const ModuleScope scope(ctx, *this);
    Tensor h = conv1_->forward(ctx, first_ ? x : activate(ctx, x, Activation::relu));  // [N,H,W,out]
    h = conv2_->forward(ctx, activate(ctx, h, Activation::relu));
    if (down_) h = mean_pool2(ctx, h);  // [N,H',W',out]
    return ascore::add(ctx, h, shortcut(ctx, x));
  }

  Tensor shortcut(Ctx& ctx, const Tensor& x) const {
    Tensor s = first_ && down_ ? mean_pool2(ctx, x) : x;
    if (shortcut_) s = shortcut_->forward(ctx, s);
    return !first_ && down_ ? mean_pool2(ctx, s) : s;
  }

  bool down_, first_;
  Module *conv1_, *conv2_, *shortcut_ = nullptr;  // null: the identity
};

/// x + gamma o(attention), self-attention (Zhang et al. 2018, arXiv:1805.08318) whose keys and values are pooled:
/// [N,H,W,C] -> [N,H,W,C]. gamma starts from 0: nothing.
class CriticAttention final : public Module {
 public:
  explicit CriticAttention(int64_t channels) {
    theta_ = add<SpectralConv2d>("theta", channels, channels / 8, 1, false);
    phi_ = add<SpectralConv2d>("phi", channels, channels / 8, 1, false);
    g_ = add<SpectralConv2d>("g", channels, channels / 2, 1, false);
    o_ = add<SpectralConv2d>("o", channels / 2, channels, 1, false);
    gamma_ = parameter("gamma", {}, Init::zeros());
  }

  Tensor forward(Ctx& ctx, const Tensor& x) const override {  // [N,H,W,C]
    return checkpoint(ctx, [this, x](Ctx& c) { return block(c, x); });
  }

 private:
  Tensor block(Ctx& ctx, const Tensor& x) const {
    const ModuleScope scope(ctx, *this);
    const Tensor queries = rows(ctx, theta_->forward(ctx, x));             // [N,HW,C/8]
    const Tensor keys = rows(ctx, max_pool2(ctx, phi_->forward(ctx, x)));  // [N,HW/4,C/8]
    const Tensor values = rows(ctx, max_pool2(ctx, g_->forward(ctx, x)));  // [N,HW/4,C/2]
    const Tensor found = attention(ctx, queries, keys, values, 1);         // [N,HW,C/2]
    const Tensor h = reshape(ctx, found, {x.dim(0), x.dim(1), x.dim(2), found.dim(2)});
    return ascore::add(ctx, x, o_->forward(ctx, h, gamma_->value));
  }

  static Tensor rows(Ctx& ctx, const Tensor& x) { return reshape(ctx, x, {x.dim(0), x.dim(1) * x.dim(2), x.dim(3)}); }

  SpectralConv2d *theta_, *phi_, *g_, *o_;
  Parameter* gamma_;
};

/// Throws ConfigError unless the image can be halved as often as the plan says, and once more where attention pools.
void check_sizes(const Shape& sample, const std::vector<BlockPlan>& plans, int64_t ch, int64_t attention) {
  int64_t divisor = 1;
  const auto require = [&](bool holds, const char* what) {
    if (!holds) throw ConfigError(fmt::format("critic biggan: {} for images of {}", what, to_string(sample)));
  };
  for (const BlockPlan& block : plans) {
    if (block.down) divisor *= 2;
    const bool attends = block.nominal_size == attention;
    const int64_t pooled = attends ? 2 * divisor : divisor;
    require(sample[0] % pooled == 0 && sample[1] % pooled == 0,
            attends ? "attention needs even sides where it is" : "sides cannot be halved often enough");
    require(!attends || block.width * ch % 8 == 0, "attention needs a multiple of 8 channels: choose another width");
  }
}
}  // namespace

BigGanCritic::BigGanCritic(const CriticConfig& config) {
  if (config.width < 0) throw ConfigError(fmt::format("critic biggan: width {} is negative", config.width));
  const int64_t ch = config.width ? config.width : kDefaultWidth;
  const std::vector<BlockPlan> plans = plan(config.sample_shape);
  check_sizes(config.sample_shape, plans, ch, config.attention);
  int64_t in = config.sample_shape[2];
  for (size_t i = 0; i < plans.size(); ++i) {
    const int64_t out = plans[i].width * ch;
    blocks_.push_back(add<CriticBlock>(fmt::format("blocks.{}.0", i), in, out, plans[i].down, i == 0));
    if (plans[i].nominal_size == config.attention) {
      blocks_.push_back(add<CriticAttention>(fmt::format("blocks.{}.1", i), out));
    }
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
