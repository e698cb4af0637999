#pragma once

#include "kernels/core/distributions.hpp"

namespace ascore::kernels {

inline constexpr int64_t kDropoutLayers = int64_t(1) << 16, kDropoutChannels = int64_t(1) << 18;

/// What channel c of row n is multiplied by. Layers part the draws of a sample into runs of 2^18.
ASCORE_HOST_DEVICE inline float channel_factor(NoiseKey key, uint32_t layer, float p, int64_t n, int64_t c) {
  const RandomBits bits = random_bits(key, n, (layer << 16) | static_cast<uint32_t>(c / 4));
  uint32_t word = bits.word[0];
  for (int i = 1; i < 4; ++i) word = c % 4 == i ? bits.word[i] : word;  // indexed at run time, they would lie in memory
  return uniform_from_bits(word) > p ? 1.0f / (1.0f - p) : 0.0f;
}

}  // namespace ascore::kernels
