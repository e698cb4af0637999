#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/core/step_scalars.hpp"

#include <cstdint>

namespace ascore {

/// Four 32-bit words: a Philox counter, or what it is turned into.
struct RandomBits {
  uint32_t word[4];
};

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"): a bijection of the
/// counter for every key, whose output for distinct counters passes as independent. No state: any draw can be had
/// alone.
ASCORE_HOST_DEVICE inline RandomBits philox(RandomBits counter, uint64_t key) {
  uint32_t k0 = static_cast<uint32_t>(key), k1 = static_cast<uint32_t>(key >> 32);
  RandomBits c = counter;
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t(0xd2511f53u) * c.word[0], p1 = uint64_t(0xcd9e8d57u) * c.word[2];
    c = {{static_cast<uint32_t>(p1 >> 32) ^ c.word[1] ^ k0, static_cast<uint32_t>(p1),
          static_cast<uint32_t>(p0 >> 32) ^ c.word[3] ^ k1, static_cast<uint32_t>(p0)}};
    k0 += 0x9e3779b9u;
    k1 += 0xbb67ae85u;
  }
  return c;
}

/// The step that a key draws with now.
ASCORE_HOST_DEVICE inline uint32_t step_of(const NoiseKey& key) {
  return key.step_offset ? key.step + static_cast<uint32_t>(*key.step_offset) : key.step;
}

/// The words of elements 4 group .. 4 group + 3 of row `row` of a draw. The counter is {group, step, sample, stream and
/// the sample's high bits}: streams are below 2^16, samples are told apart by their low 48 bits.
ASCORE_HOST_DEVICE inline RandomBits random_bits(NoiseKey key, int64_t row, uint32_t group) {
  const uint64_t sample = key.first_sample + static_cast<uint64_t>(row);
  const uint32_t high = static_cast<uint32_t>(sample >> 32) << 16;
  return philox({{group, step_of(key), static_cast<uint32_t>(sample), (key.stream & 0xffffu) | high}}, key.seed);
}

/// Where four elements that one call of random_bits serves lie in a batch of rows of `width` elements.
struct DrawGroup {
  int64_t row;     ///< of the batch
  uint32_t group;  ///< of the row
  int64_t offset;  ///< of the first element in the batch
  int count;       ///< elements: 4, fewer at the end of a row
};

/// Groups that cover one row.
ASCORE_HOST_DEVICE inline int64_t groups_of(int64_t width) {
  return (width + 3) / 4;
}
/// Group `index` of a batch, counted row by row.
ASCORE_HOST_DEVICE inline DrawGroup draw_group(int64_t index, int64_t width) {
  const int64_t groups = groups_of(width), row = index / groups, group = index - row * groups;
  const int64_t left = width - 4 * group;
  return {row, static_cast<uint32_t>(group), row * width + 4 * group, left < 4 ? static_cast<int>(left) : 4};
}

}  // namespace ascore
