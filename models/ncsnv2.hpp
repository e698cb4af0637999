#pragma once

#include "engine/nn/layers.hpp"
#include "models/score_network.hpp"

#include <vector>

namespace ascore {

class RefineBlock;
class ResidualBlock;

/// NCSNv2 (Song & Ermon 2020, arXiv:2006.09011) and its deeper variants for larger images, by config.name: `ncsnv2`,
/// `ncsnv2_deeper`, `ncsnv2_deepest`. An unconditional RefineNet: stages of two residual blocks, then as many refine
/// blocks that go back up, each joining a stage's output with the block before. ngf = config.width.
class Ncsnv2 final : public ScoreNetwork {
 public:
  /// Throws ConfigError for data that are no images of sides that the strides divide, and for options that the network
  /// does not have.
  explicit Ncsnv2(const ScoreNetworkConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const override;

 private:
  struct Stage {
    ResidualBlock *first, *second;
  };
  Nonlinearity act_;
  bool shift_input_, dae_, standardize_;
  Module *begin_, *end_;
  Normalization* normalizer_;
  std::vector<Stage> stages_;
  std::vector<RefineBlock*> refine_;  // in the order in which they run
};

}  // namespace ascore
