#pragma once

#include "kernels/conv2d/conv2d.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <cstdint>
#include <ostream>
#include <vector>

/// Convolution in plain loops, for the tests of conv2d and of its epilogues.
namespace ascore::test::conv2d {

using Values = std::vector<double>;

struct Case {
  int64_t N, H, W, I, O;
  int k, d = 1, s = 1;
  int64_t middle() const { return (k - 1) / 2; }
  int64_t out_h() const { return (H + 2 * d * middle() - d * (k - 1) - 1) / s + 1; }
  int64_t out_w() const { return (W + 2 * d * middle() - d * (k - 1) - 1) / s + 1; }
  Shape x() const { return {N, H, W, I}; }
  Shape y() const { return {N, out_h(), out_w(), O}; }
  Shape weight() const { return {O, k, k, I}; }
  kernels::Conv2dOptions options(MathMode math = MathMode::f32) const {
    return {.stride = s, .dilation = d, .math = math};
  }
};

inline std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << 'N' << c.N << ' ' << c.H << 'x' << c.W << ' ' << c.I << "->" << c.O << " k" << c.k << " d" << c.d
             << " s" << c.s;
}

/// Calls body(output pixel, tap, input pixel) for every output and tap whose input lies inside the image.
template <class Body>
void for_taps(const Case& c, Body body) {
  for (int64_t n = 0; n < c.N; ++n)
    for (int64_t h = 0; h < c.out_h(); ++h)
      for (int64_t w = 0; w < c.out_w(); ++w)
        for (int64_t a = 0; a < c.k; ++a)
          for (int64_t b = 0; b < c.k; ++b) {
            const int64_t sh = c.s * h + c.d * (a - c.middle()), sw = c.s * w + c.d * (b - c.middle());
            if (sh < 0 || sh >= c.H || sw < 0 || sw >= c.W) continue;
            body((n * c.out_h() + h) * c.out_w() + w, a * c.k + b, (n * c.H + sh) * c.W + sw);
          }
}

/// The three passes in plain loops; Acc = double is the reference, float the naive twin.
template <class Acc>
Values forward(const Case& c, const Values& x, const Values& weight, const Values& bias) {
  std::vector<Acc> y(static_cast<size_t>(c.y().count()), Acc(0));
  for_taps(c, [&](int64_t p, int64_t tap, int64_t q) {
    for (int64_t o = 0; o < c.O; ++o)
      for (int64_t i = 0; i < c.I; ++i)
        y[p * c.O + o] += static_cast<Acc>(weight[(o * c.k * c.k + tap) * c.I + i]) * static_cast<Acc>(x[q * c.I + i]);
  });
  for (size_t i = 0; i < y.size() && !bias.empty(); ++i) y[i] += static_cast<Acc>(bias[i % c.O]);
  return {y.begin(), y.end()};
}

template <class Acc>
Values dgrad(const Case& c, const Values& dy, const Values& weight) {
  std::vector<Acc> dx(static_cast<size_t>(c.x().count()), Acc(0));
  for_taps(c, [&](int64_t p, int64_t tap, int64_t q) {
    for (int64_t o = 0; o < c.O; ++o)
      for (int64_t i = 0; i < c.I; ++i)
        dx[q * c.I + i] +=
            static_cast<Acc>(weight[(o * c.k * c.k + tap) * c.I + i]) * static_cast<Acc>(dy[p * c.O + o]);
  });
  return {dx.begin(), dx.end()};
}

template <class Acc>
Values wgrad(const Case& c, const Values& x, const Values& dy) {
  std::vector<Acc> dw(static_cast<size_t>(c.weight().count()), Acc(0));
  for_taps(c, [&](int64_t p, int64_t tap, int64_t q) {
    for (int64_t o = 0; o < c.O; ++o)
      for (int64_t i = 0; i < c.I; ++i)
        dw[(o * c.k * c.k + tap) * c.I + i] += static_cast<Acc>(dy[p * c.O + o]) * static_cast<Acc>(x[q * c.I + i]);
  });
  return {dw.begin(), dw.end()};
}

inline Values rounded(Values values, DType dtype) {
  if (dtype == DType::f64) return values;
  for (double& v : values) v = dtype == DType::bf16 ? round_bf16(v) : round_f32(v);
  return values;
}

/// Weights as the product sees them.
inline Values weight_values(const Buffer& weight, DType activations) {
  return rounded(weight.values(), activations);
}

inline std::vector<DType> dtypes(Device device) {
  if (device == Device::cpu) return {DType::f32, DType::bf16, DType::f64};
  return {DType::f32, DType::bf16};
}

}  // namespace ascore::test::conv2d
