#pragma once

#include "engine/nn/layers.hpp"
#include "engine/nn/normalization_layers.hpp"
#include "models/feature_network.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace ascore {

/// What a classifier is made from: a recipe's [classifier] table and the data's shape.
struct ClassifierConfig {
  Shape sample_shape{28, 28, 1};  ///< [H,W,C]
  int64_t classes = 10;
  int64_t width = 16;  ///< channels at full resolution, a multiple of 8
  int64_t blocks = 1;  ///< residual blocks at each of three resolutions
};

/// A small residual network (He et al. 2016, arXiv:1603.05027, blocks of norm, activation, convolution) with group norm
/// and SiLU: a 3x3 convolution to `width` channels, then three stages, the second and third of which begin by halving
/// the resolution and doubling the channels; the means over the pixels are the features, and a linear layer makes the
/// logits. Nothing in it depends on the rest of a batch. Images of any size of at least 4x4 pixels.
class Classifier final : public FeatureNetwork {
 public:
  /// Throws ConfigError.
  explicit Classifier(const ClassifierConfig& config);

  /// Logits [N,K] of images [N,H,W,C], in the images' dtype (f32, f64).
  Tensor forward(Ctx& ctx, const Tensor& images) const override;

  ImageFeatures look(Ctx& ctx, const Tensor& images) const override;
  int64_t width() const override { return width_; }
  int64_t classes() const override { return config_.classes; }
  int64_t channels() const { return config_.sample_shape[2]; }
  std::string name() const override { return name_; }
  /// What `name` is to say: of which run, which step, which weights.
  void set_name(std::string name) { name_ = std::move(name); }

 private:
  class Block;
  /// [N,D], in the images' dtype.
  Tensor features(Ctx& ctx, const Tensor& images) const;

  ClassifierConfig config_;
  int64_t width_;
  std::string name_ = "classifier";
  Convolution* begin_;
  std::vector<Block*> blocks_;
  GroupNorm* end_;
  Linear* dense_;
};

}  // namespace ascore
