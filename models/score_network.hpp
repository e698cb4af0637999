#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/nn/interfaces.hpp"
#include "engine/training/config.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ascore {

/// What a score network is made from: a recipe's [score] table, the data's shape and the noise levels.
struct ScoreNetworkConfig {
  std::string name = "ncsnv2";             ///< mlp | ncsnv2 | ncsnv2_deeper | ncsnv2_deepest | unet
  Shape sample_shape{32, 32, 3};           ///< one sample: [H,W,C], or [D] for points
  int64_t width = 0;                       ///< ncsnv2: ngf; unet: ch; mlp: hidden units; 0: its own (128; 128; 512)
  std::optional<Activation> activation{};  ///< absent: its own (ncsnv2: elu; unet: silu, no other; mlp: leaky_relu)
  std::optional<double> slope{};           ///< of leaky_relu; absent: its own (ncsnv2: 0.2; mlp: 0.01)
  std::optional<std::string> norm{};  ///< absent: its own (ncsnv2: instance_norm_plus; unet: group_norm; mlp: none)
  bool dae = false;                   ///< the target is the clean sample; ncsnv2: through sigmoid(2 out)
  bool conditional = false;           ///< mlp: sigma is an input; unet: its level is embedded

  // The NCSNv2 family.
  bool dilation = true;                   ///< the last two stages dilate instead of pooling
  bool standardize = false;               ///< the output is divided by its variance over the whole batch
  bool spectral_norm = false;             ///< of every convolution
  std::optional<double> last_norm_eps{};  ///< of the last instance_norm or batch_norm; absent: as of the others
  bool shift_input = true;                ///< 2x - 1 first; false where the data have a transform of their own

  // UNet.
  std::vector<int64_t> multipliers = {1, 2, 2, 2};  ///< width of each level, in units of ch
  std::vector<int64_t> attention_levels = {1};
  int64_t groups = 32;
  double dropout = 0;         ///< share of channels that training drops in every block
  std::string init = "ddpm";  ///< ddpm | original
  NoiseConfig noise{};        ///< what the level's index is counted in, if conditional
};

}  // namespace ascore
