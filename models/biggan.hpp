#pragma once

#include "models/critic.hpp"

#include <vector>

namespace ascore {

/// The discriminator of BigGAN (Brock et al. 2018, arXiv:1809.11096) without labels, for square images of 8, 16, 28, 32
/// or 64 pixels (where its attention is inactive), spectral norm in every layer. ch = config.width.
class BigGanCritic final : public Critic {
 public:
  /// Throws ConfigError for other sizes.
  explicit BigGanCritic(const CriticConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  std::vector<Module*> blocks_;
  Module* linear_;
};

}  // namespace ascore
