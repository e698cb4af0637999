#pragma once

#include "kernels/core/host_device.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

/// f32 arithmetic that gives the same bits on the host and in CUDA kernels: every operation is one correctly rounded
/// fma, product, sum or square root, which no compiler may merge or split (host code is built with -ffp-contract=off).
/// Library functions such as logf and sinf differ between host and device; the few that random numbers need are here.
namespace ascore::exact {

/// a b + c, rounded once.
ASCORE_HOST_DEVICE inline float fma(float a, float b, float c) {
#ifdef __CUDA_ARCH__
  return __fmaf_rn(a, b, c);
#else
  return std::fma(a, b, c);
#endif
}
ASCORE_HOST_DEVICE inline float mul(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}
ASCORE_HOST_DEVICE inline float add(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fadd_rn(a, b);
#else
  return a + b;
#endif
}
ASCORE_HOST_DEVICE inline float sqrt(float a) {
#ifdef __CUDA_ARCH__
  return __fsqrt_rn(a);
#else
  return std::sqrt(a);
#endif
}

/// Natural logarithm of a positive normal x, within 2e-7 relative (tested): x = 2^e m with m in [sqrt(1/2), sqrt(2)),
/// log m by a polynomial in m - 1, e ln 2 in two parts. Coefficients: Cephes, logf.
ASCORE_HOST_DEVICE inline float log(float x) {
  uint32_t bits = std::bit_cast<uint32_t>(x);
  int exponent = static_cast<int>(bits >> 23) - 126;
  float m = std::bit_cast<float>((bits & 0x007fffffu) | 0x3f000000u);  // [1/2, 1)
  if (m < 0.707106781f) {
    m = add(m, m);
    --exponent;
  }
  const float f = add(m, -1.0f), square = mul(f, f), e = static_cast<float>(exponent);
  float p = 7.0376836292e-2f;
  p = fma(p, f, -1.1514610310e-1f);
  p = fma(p, f, 1.1676998740e-1f);
  p = fma(p, f, -1.2420140846e-1f);
  p = fma(p, f, 1.4249322787e-1f);
  p = fma(p, f, -1.6668057665e-1f);
  p = fma(p, f, 2.0000714765e-1f);
  p = fma(p, f, -2.4999993993e-1f);
  p = fma(p, f, 3.3333331174e-1f);
  float y = mul(mul(p, f), square);
  y = fma(-2.12194440e-4f, e, y);
  y = fma(-0.5f, square, y);
  return fma(0.693359375f, e, add(f, y));
}

struct SinCos {
  float sin, cos;
};

/// Sine and cosine of a whole turn times turn / 2^32, within 2e-7 (tested). The nearest quarter turn is taken off in
/// integers, exactly. Coefficients: Cephes, sinf and cosf.
ASCORE_HOST_DEVICE inline SinCos sincos_of_turn(uint32_t turn) {
  const uint32_t quarter = (turn + 0x20000000u) >> 30;
  const int32_t rest = static_cast<int32_t>(turn - (quarter << 30));  // [-2^29, 2^29): an eighth of a turn
  const float x = mul(static_cast<float>(rest), 1.46291807926715968e-9f), z = mul(x, x);  // 2 pi / 2^32
  float s = fma(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = fma(s, z, -1.6666654611e-1f);
  s = fma(mul(s, z), x, x);
  float c = fma(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = fma(c, z, 4.166664568298827e-2f);
  c = fma(mul(c, z), z, fma(-0.5f, z, 1.0f));
  const float sine = (quarter & 1u) ? c : s, cosine = (quarter & 1u) ? s : c;
  return {(quarter & 2u) ? -sine : sine, ((quarter + 1u) & 2u) ? -cosine : cosine};
}

}  // namespace ascore::exact
