#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/// exp, expm1 and choices that a compiler can vectorise: no branches, no tables, no library calls in f32. For cpu
/// loops; kernels of the other devices use theirs. Within 2 units in the last place of the true value where that is a
/// normal number.
namespace ascore::kernels::cpu {

/// x for finite |x| <= 87, else +-87, also for NaN; `nan` is all ones for NaN, else zero. By whole numbers: of a choice
/// with a constant a compiler makes a branch, and loops with branches stay scalar.
struct ClampedF32 {
  float x;
  int32_t nan;
};
inline ClampedF32 clamp_f32(float x) {
  constexpr int32_t kLimit = std::bit_cast<int32_t>(87.0f), kInfinity = 0x7f800000, kMagnitude = 0x7fffffff;
  const int32_t bits = std::bit_cast<int32_t>(x), size = bits & kMagnitude;
  const int32_t clamped = size < kLimit ? size : kLimit;
  return {std::bit_cast<float>(clamped | (bits & ~kMagnitude)), (kInfinity - size) >> 31};
}

/// x = n ln 2 + r with |r| <= ln 2 / 2 (and a little); power is 2^n.
struct ReducedF32 {
  float r, power;
};
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

/// e^x, with x clamped to [-87, 87]: never zero, never infinite. NaN stays NaN.
inline float vector_exp(float x) {
  const ClampedF32 clamped = clamp_f32(x);
  const ReducedF32 reduced = reduce_f32(clamped.x);
  const float y = expm1_small(reduced.r) * reduced.power + reduced.power;
  return std::bit_cast<float>(std::bit_cast<int32_t>(y) | clamped.nan);
}
inline double vector_exp(double x) {
  return std::exp(x);
}

/// e^x - 1, with x clamped to [-87, 87]. NaN stays NaN.
inline float vector_expm1(float x) {
  const ClampedF32 clamped = clamp_f32(x);
  const ReducedF32 reduced = reduce_f32(clamped.x);
  const float y = expm1_small(reduced.r) * reduced.power + (reduced.power - 1.0f);
  return std::bit_cast<float>(std::bit_cast<int32_t>(y) | clamped.nan);
}
inline double vector_expm1(double x) {
  return std::expm1(x);
}

/// x = positive_part + negative_part: the one of x's sign bit is x, the other zero.
inline float positive_part(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  return std::bit_cast<float>(bits & ~(bits >> 31));
}
inline float negative_part(float x) {
  const int32_t bits = std::bit_cast<int32_t>(x);
  return std::bit_cast<float>(bits & (bits >> 31));
}
inline double positive_part(double x) {
  return x < 0 ? 0 : x;
}
inline double negative_part(double x) {
  return x > 0 ? 0 : x;
}

/// x > 0 ? a : b, and a for a NaN without sign.
inline float where_positive(float x, float a, float b) {
  const int32_t mask = -static_cast<int32_t>(std::bit_cast<int32_t>(x) > 0);
  return std::bit_cast<float>((std::bit_cast<int32_t>(a) & mask) | (std::bit_cast<int32_t>(b) & ~mask));
}
inline double where_positive(double x, double a, double b) {
  return x > 0 ? a : b;
}

}  // namespace ascore::kernels::cpu
