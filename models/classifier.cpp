#include "models/classifier.hpp"

#include "engine/autograd/checkpoint.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kGroups = 8, kStages = 3, kSmallest = 4;
constexpr double kEps = 1e-5;
}  // namespace

/// Norm, SiLU, convolution, norm, SiLU, convolution, plus the shortcut: [N,H,W,in] -> [N,H',W',out].
class Classifier::Block final : public Module {
 public:
  Block(int64_t in, int64_t out, int stride)
      : norm1_(add<GroupNorm>("norm1", in, kGroups, kEps, Activation::silu)),
        conv1_(add<Conv2d>("conv1", in, out, 3, 1, true, stride)),
        norm2_(add<GroupNorm>("norm2", out, kGroups, kEps, Activation::silu)),
        conv2_(add<Conv2d>("conv2", out, out, 3)) {
    if (in != out || stride != 1) shortcut_ = add<Conv2d>("shortcut", in, out, 1, 1, true, stride);
  }

  Tensor forward(Ctx& ctx, const Tensor& x) const override {
    return checkpoint(ctx, [this, x](Ctx& c) { return block(c, x); });
  }

 private:
  Tensor block(Ctx& ctx, const Tensor& x) const {
    const ModuleScope scope(ctx, *this);
    Epilogue with_shortcut;
    with_shortcut.residual = shortcut_ ? shortcut_->forward(ctx, x) : x;
    const Tensor h = conv1_->forward(ctx, norm1_->forward(ctx, x));  // [N,H',W',out]
    return conv2_->forward(ctx, norm2_->forward(ctx, h), with_shortcut).value;
  }

  GroupNorm* norm1_;
  Conv2d* conv1_;
  GroupNorm* norm2_;
  Conv2d* conv2_;
  Conv2d* shortcut_ = nullptr;  // null: the identity
};

Classifier::Classifier(const ClassifierConfig& config) : config_(config), width_(config.width) {
  const Shape& sample = config.sample_shape;
  if (sample.rank() != 3 || sample[0] < kSmallest || sample[1] < kSmallest) {
    throw ConfigError(fmt::format("classifier: needs images [H,W,C] of at least {0}x{0} pixels, not {1}", kSmallest,
                                  to_string(sample)));
  }
  if (config.width < kGroups || config.width % kGroups != 0) {
    throw ConfigError(fmt::format("classifier: width {} is no multiple of {}", config.width, kGroups));
  }
  if (config.classes < 2)
    throw ConfigError(fmt::format("classifier: {} classes are nothing to tell apart", config.classes));
  if (config.blocks < 1) throw ConfigError(fmt::format("classifier: {} blocks", config.blocks));
  begin_ = add<Conv2d>("begin", sample[2], config.width, 3);
  for (int64_t stage = 0; stage < kStages; ++stage) {
    for (int64_t block = 0; block < config.blocks; ++block) {
      const bool halves = stage > 0 && block == 0;
      const int64_t in = width_;
      if (halves) width_ *= 2;
      blocks_.push_back(add<Block>(fmt::format("stage{}.{}", stage, block), in, width_, halves ? 2 : 1));
    }
  }
  end_ = add<GroupNorm>("end", width_, kGroups, kEps, Activation::silu);
  dense_ = add<Linear>("dense", width_, config.classes);
}

Tensor Classifier::features(Ctx& ctx, const Tensor& images) const {
  Tensor h = begin_->forward(ctx, to_compute(ctx, affine(ctx, images, 2, -1)));  // [N,H,W,width]
  for (const Block* block : blocks_) h = block->forward(ctx, h);
  const Tensor sums = pixel_sum(ctx, end_->forward(ctx, h));  // [N,4 width]
  return scale(ctx, to_dtype(ctx, sums, images.dtype()), 1.0 / static_cast<double>(h.dim(1) * h.dim(2)));
}

Tensor Classifier::forward(Ctx& ctx, const Tensor& images) const {
  return dense_->forward(ctx, features(ctx, images));
}

ImageFeatures Classifier::look(Ctx& ctx, const Tensor& images) const {
  const Shape& wanted = config_.sample_shape;
  if (images.shape().rank() != 4 || Shape(images.shape().dims().subspan(1)) != wanted) {
    throw DataError(fmt::format("classifier: was trained on images {}, and looks at none of {}", to_string(wanted),
                                to_string(images.shape())));
  }
  Ctx inference = ctx.detached();
  inference.training = false;
  const Tensor seen = features(inference, images);
  return {.features = seen, .logits = dense_->forward(inference, seen)};
}

}  // namespace ascore
