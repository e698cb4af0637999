#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/nn/interfaces.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ascore {

/// What a score network is made from: a recipe's [score] table and the data's shape.
struct ScoreNetworkConfig {
  std::string name = "ncsnv2";             ///< mlp | ncsnv2 | ncsnv2_deeper | ncsnv2_deepest
  Shape sample_shape{32, 32, 3};           ///< one sample: [H,W,C], or [D] for points
  int64_t width = 0;                       ///< ncsnv2: ngf; mlp: hidden units; 0: the network's own (128; 512)
  std::optional<Activation> activation{};  ///< absent: the network's own (ncsnv2: elu; mlp: leaky_relu)
  std::optional<double> slope{};           ///< of leaky_relu; absent: the network's own (ncsnv2: 0.2; mlp: 0.01)
  std::string norm = "instance_norm_plus";
  bool dilation = true;  ///< ncsnv2 family: the last two stages dilate instead of pooling
  bool standardize = false;
  bool conditional = false;  ///< mlp: sigma is an input
  bool dae = false;          ///< the target is the clean sample: the output goes through sigmoid(2 out)
  bool shift_input = true;   ///< ncsnv2: 2x - 1 first; false where the data have a transform of their own
};

}  // namespace ascore
