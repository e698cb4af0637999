#pragma once

#include "engine/nn/layers.hpp"
#include "models/score_network.hpp"

#include <array>

namespace ascore {

class RefineBlock;

/// NCSNv2 (Song & Ermon 2020, arXiv:2006.09011): an unconditional RefineNet. Four stages of two residual blocks, then
/// four refine blocks that go back up. ngf = config.width.
class Ncsnv2 final : public ScoreNetwork {
 public:
  /// Throws ConfigError for data that are no images of even sides (dilation = false: of sides that divide by 8), and
  /// for options that the network does not have.
  explicit Ncsnv2(const ScoreNetworkConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const override;

 private:
  struct Stage {
    Module *first, *second;
    Tensor operator()(Ctx& ctx, const Tensor& x) const { return second->forward(ctx, first->forward(ctx, x)); }
  };
  Nonlinearity act_;
  bool shift_input_, dae_;
  Module *begin_, *normalizer_, *end_;
  std::array<Stage, 4> stages_;
  std::array<RefineBlock*, 4> refine_;
};

}  // namespace ascore
