#pragma once

#include "engine/nn/module.hpp"

#include <cstdint>
#include <string>

namespace ascore {

/// What a feature network says of a batch of images.
struct ImageFeatures {
  Tensor features;  ///< [N,D] f32: what distances are taken of
  Tensor logits;    ///< [N,K] f32; absent where the network tells no classes apart
};

/// A network whose view of images samples are measured by. Inference only: no tape, no dropout, averages of training.
class FeatureNetwork : public Module {
 public:
  /// `images` [N,H,W,C] f32 in [0,1], of any size that the network takes. Throws DataError for others.
  virtual ImageFeatures look(Ctx& ctx, const Tensor& images) const = 0;
  virtual int64_t width() const = 0;    ///< D
  virtual int64_t classes() const = 0;  ///< K; 0: none
  /// Which network of which weights: stands beside every number and in statistics files, and must agree where features
  /// are compared.
  virtual std::string name() const = 0;
  /// Measuring fewer samples than this is an error.
  virtual int64_t least_samples() const { return 2; }
};

}  // namespace ascore
