#pragma once

#include "models/feature_network.hpp"
#include "models/inception_layers.hpp"

#include <filesystem>
#include <memory>

namespace ascore {

/// Inception-V3 as the Frechet inception distance is defined by (Heusel et al. 2017, arXiv:1706.08500): TensorFlow's
/// graph of 2015-12-05 with 1008 classes, named and computed as pytorch-fid's. Images of any size, grey or in colours,
/// are resized to 299x299 bilinearly without antialiasing, and go from [0,1] to [-1,1]. Its poolings leave out what
/// lies beside the image, and the last block pools maxima. Features are the 2,048 means over the last image. Everything
/// in f32.
class InceptionV3 final : public FeatureNetwork {
 public:
  InceptionV3();
  /// Takes the state_dict of pytorch-fid's fid_inception_v3 (num_batches_tracked is not looked at). Before this the
  /// network cannot look. Throws DataError, naming the entry, if one is missing, of another shape, not finite or of
  /// another network.
  void load(Ctx& ctx, const StateDict& state);
  ImageFeatures look(Ctx& ctx, const Tensor& images) const override;
  int64_t width() const override { return kWidth; }
  int64_t classes() const override { return kClasses; }
  std::string name() const override { return name_; }
  int64_t least_samples() const override { return kLeastSamples; }

  static constexpr int64_t kWidth = 2048, kClasses = 1008;
  /// The covariance of so many features has not its full rank for fewer samples.
  static constexpr int64_t kLeastSamples = kWidth;

 private:
  std::string name_;
  InceptionModule* body_;  ///< all but the last layer
  Parameter *weight_, *bias_;
};

/// Opens the weights that tools/inception_to_safetensors.py has written. Throws DataError, which says how to make them.
std::unique_ptr<FeatureNetwork> open_inception(Ctx& ctx, const std::filesystem::path& weights);

}  // namespace ascore
