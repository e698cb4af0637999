#pragma once

#include "models/score_network.hpp"

#include <vector>

namespace ascore {

class UNetBlock;

/// The UNet of DDPM (Ho et al. 2020, arXiv:2006.11239). Per level two residual blocks on the way down and three on the
/// way up, joined with what the way down left, attention after each at config.attention_levels; a level has ch *
/// multipliers[level] channels, ch = config.width, and half the resolution of the one before. Conditional: every block
/// is also given an embedding of the noise level's index; the embedding's layers are there in any case, as in the
/// original.
class UNet final : public ScoreNetwork {
 public:
  /// Throws ConfigError for data that are no images of sides that divide by 2^(levels - 1), and for options that the
  /// network does not have.
  explicit UNet(const ScoreNetworkConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const override;

 private:
  /// A residual block, and the attention that follows it or null.
  struct Unit {
    UNetBlock* block;
    Module* attention;
    Tensor operator()(Ctx& ctx, const Tensor& x, const Tensor& embedding, const Tensor& skip = {}) const;
  };
  struct Level {
    std::vector<Unit> units;
    Module* resample;  ///< to the next level; null at the last
  };
  Tensor embedding(Ctx& ctx, const Tensor& sigma) const;

  int64_t width_;
  bool conditional_;
  NoiseConfig noise_;
  Module *begin_, *embed0_, *embed2_, *normalize_, *end_;
  std::vector<Level> down_, up_;  // both in the order in which they run
  std::vector<Unit> middle_;
};

/// The 0-based index of the noise level sigma, a real number between levels: 0 at sigma_begin, levels - 1 at sigma_end.
double level_index(const NoiseConfig& noise, double sigma);

}  // namespace ascore
