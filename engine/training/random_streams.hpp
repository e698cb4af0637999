#pragma once

#include <cstdint>

namespace ascore {

/// The uses of randomness, each a stream of its own (NoiseKey::stream): a draw for one purpose never shifts another's.
/// The numbers are part of every recorded result; a new use gets a new number.
enum class RandomStream : uint32_t {
  init = 1,             ///< starting values of parameters
  data_order = 2,       ///< shuffling of the training data
  data_flip = 3,        ///< horizontal flips
  dequantise = 4,       ///< noise inside a grey level
  sigma = 5,            ///< noise levels of score updates
  noise = 6,            ///< noise of score updates
  critic_sigma = 7,     ///< noise levels of critic updates
  critic_noise = 8,     ///< noise of critic updates
  preview = 9,          ///< previews, which must not change the training
  held_out = 10,        ///< levels of the held-out loss, the same at every measurement
  held_out_noise = 11,  ///< noise of the held-out loss
  dropout = 12,         ///< dropped channels in score updates
  critic_dropout = 13,  ///< dropped channels in critic updates
  sampler_start = 16,   ///< where sampling starts
  sampler_noise = 17,   ///< noise while sampling
  known_noise = 18,     ///< inpainting: noise on the known region
  dataset = 20,         ///< points of synthetic data
};

/// The stream's number, as NoiseKey takes it.
constexpr uint32_t id(RandomStream stream) {
  return static_cast<uint32_t>(stream);
}

}  // namespace ascore
