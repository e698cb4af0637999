#pragma once

#include "kernels/core/exact_f32.hpp"
#include "kernels/core/philox.hpp"

namespace ascore {

/// Four f32 draws.
struct Draws {
  float value[4];
};

/// 32 random bits as a number in (0, 1], uniform to a resolution of 2^-32 near zero and 2^-24 near one: never zero, so
/// that its logarithm is finite.
ASCORE_HOST_DEVICE inline float uniform_from_bits(uint32_t bits) {
  return exact::fma(static_cast<float>(bits), 2.3283064365386963e-10f, 1.1641532182693481e-10f);
}

ASCORE_HOST_DEVICE inline Draws uniforms(RandomBits bits) {
  Draws draws{};
  for (int i = 0; i < 4; ++i) draws.value[i] = uniform_from_bits(bits.word[i]);
  return draws;
}

/// Four standard normals by the Box-Muller transform, in absolute value at most 6.8; the same bits on every device.
ASCORE_HOST_DEVICE inline Draws normals(RandomBits bits) {
  Draws draws{};
  for (int i = 0; i < 4; i += 2) {
    const float radius = exact::sqrt(exact::mul(-2.0f, exact::log(uniform_from_bits(bits.word[i]))));
    const exact::SinCos direction = exact::sincos_of_turn(bits.word[i + 1]);
    draws.value[i] = exact::mul(radius, direction.cos);
    draws.value[i + 1] = exact::mul(radius, direction.sin);
  }
  return draws;
}

/// 32 random bits as an integer in [0, count), count at most 2^31: every value as likely as any other within 2^-32.
ASCORE_HOST_DEVICE inline int32_t index_from_bits(uint32_t bits, int64_t count) {
  return static_cast<int32_t>(static_cast<uint64_t>(bits) * static_cast<uint64_t>(count) >> 32);
}

}  // namespace ascore
