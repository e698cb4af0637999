#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/// exp and expm1 that a compiler can vectorise: no branches, no tables, no library calls in f32. For cpu loops; kernels
/// of the other devices use theirs. Within 2 units in the last place of the true value where that is a normal number.
namespace ascore::kernels::cpu {

/// x = n ln 2 + r with |r| <= ln 2 / 2 (and a little); 2^n as a float. NaN stays in r.
struct ReducedF32 {
  float r, power;
};

/// x must lie in [-87, 88] or be NaN.
inline ReducedF32 reduce_f32(float x) {
  constexpr float kMagic = 12582912.0f;  // 1.5 * 2^23: adding it leaves n in the low bits of the mantissa
  constexpr float kHigh = 0.693359375f, kLow = -2.12194440e-4f;  // n kHigh is exact for |n| < 2^14
  const float shifted = x * 1.44269504f + kMagic;
  const float n = shifted - kMagic;
  const float r = (x - n * kHigh) - n * kLow;
  return {r, std::bit_cast<float>((std::bit_cast<uint32_t>(shifted) << 23) + 0x3f800000u)};
}

/// e^r - 1 for |r| <= 0.35 (Taylor to r^7: the rest is below 2^-27 of r).
inline float expm1_small(float r) {
  float p = 1.0f / 5040;
  p = p * r + 1.0f / 720;
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  return (p * r) * r + r;
}

/// e^x, with x clamped to [-87, 88]: never zero, never infinite.
inline float vector_exp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const ReducedF32 reduced = reduce_f32(x);
  return expm1_small(reduced.r) * reduced.power + reduced.power;
}
inline double vector_exp(double x) {
  return std::exp(x);
}

/// e^x - 1, with x clamped to [-87, 88].
inline float vector_expm1(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  const ReducedF32 reduced = reduce_f32(x);
  return expm1_small(reduced.r) * reduced.power + (reduced.power - 1.0f);
}
inline double vector_expm1(double x) {
  return std::expm1(x);
}

}  // namespace ascore::kernels::cpu
