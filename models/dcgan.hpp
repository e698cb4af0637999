#pragma once

#include "engine/nn/convolution.hpp"
#include "engine/nn/normalization.hpp"
#include "models/critic.hpp"

#include <string>
#include <vector>

namespace ascore {

/// The discriminator of DCGAN (Radford et al. 2015, arXiv:1511.06434) as in Jolicoeur-Martineau 2018, arXiv:1807.00734:
/// convolutions 3x3 and, halving the image, 4x4 of stride 2 in turn, then a linear layer. For 32x32 images as in the
/// original, and any whose sides are multiples of 8. Width: config.width, 64 in the original. config.norm: batch norm
/// after every convolution but the last, spectral norm (PyTorch's) of every convolution, or none.
class DcganCritic final : public Critic {
 public:
  /// Throws ConfigError for other sizes, and a config.norm that it does not have.
  explicit DcganCritic(const CriticConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  struct Stage {
    Convolution* conv;
    Normalization* norm = nullptr;  ///< null: the identity
  };
  /// A convolution 3x3, or one 4x4 that halves the image.
  Convolution* add_conv(std::string name, int64_t in, int64_t out, bool halves, bool spectral_norm);

  std::vector<Stage> stages_;
  Module* dense_;
};

}  // namespace ascore
