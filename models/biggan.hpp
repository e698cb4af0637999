#pragma once

#include "models/critic.hpp"

#include <vector>

namespace ascore {

/// The discriminator of BigGAN (Brock et al. 2018, arXiv:1809.11096) without labels, spectral norm in every layer. The
/// image's larger side, 8, 16, 28, 32, 64, 128 or 256 pixels, chooses the table of blocks. ch = config.width. Attention
/// follows the blocks whose nominal size is config.attention: with 64, one block of the tables for 128 and 256.
class BigGanCritic final : public Critic {
 public:
  /// Throws ConfigError for other sizes, and sides that cannot be halved as often as the table says.
  explicit BigGanCritic(const CriticConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  std::vector<Module*> blocks_;  ///< and attention between them
  Module* linear_;
};

}  // namespace ascore
