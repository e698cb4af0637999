#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/nn/interfaces.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace ascore {

/// What a critic is made from: a recipe's [critic] table and the data's shape.
struct CriticConfig {
  std::string name = "biggan";             ///< mlp | biggan | dcgan
  Shape sample_shape{32, 32, 3};           ///< one sample: [H,W,C], or [D] for points
  int64_t width = 0;                       ///< biggan: ch; dcgan: first layers; mlp: hidden units; 0: 64 (mlp: 512)
  int64_t attention = 64;                  ///< biggan only: attention after its blocks of this nominal size; 0: none
  std::string norm = "batch_norm";         ///< dcgan only: batch_norm | spectral_norm | none
  std::optional<Activation> activation{};  ///< mlp only; absent: leaky_relu
  std::optional<double> slope{};           ///< of leaky_relu; absent: 0.01
};

}  // namespace ascore
