#pragma once

#include "kernels/core/host_device.hpp"

#include <cmath>

namespace ascore::kernels {

inline constexpr int kSsimWindow = 11, kSsimLevels = 5;

/// Gaussian weights of one dimension, of sum 1; a window's are their products.
template <class A>
struct SsimWeights {
  A weight[kSsimWindow];

  SsimWeights() {
    double sum = 0;
    for (int i = 0; i < kSsimWindow; ++i) sum += gaussian(i);
    for (int i = 0; i < kSsimWindow; ++i) weight[i] = static_cast<A>(gaussian(i) / sum);
  }

 private:
  static double gaussian(int i) {
    const double d = i - kSsimWindow / 2;
    return std::exp(-d * d / (2 * 1.5 * 1.5));
  }
};

/// Exponent of level `level`, 0 the finest.
template <class A>
ASCORE_HOST_DEVICE inline A ssim_exponent(int level) {
  const A fine = level == 0 ? A(0.0448) : level == 1 ? A(0.2856) : A(0.3001);
  return level < 3 ? fine : level == 3 ? A(0.2363) : A(0.1333);
}

/// Weighted means over a window.
template <class A>
struct SsimMoments {
  A x = 0, y = 0, xx = 0, yy = 0, xy = 0;

  ASCORE_HOST_DEVICE void add(A weight, A a, A b) {
    const A wa = weight * a, wb = weight * b;
    x += wa;
    y += wb;
    xx += wa * a;
    yy += wb * b;
    xy += wa * b;
  }
};

/// contrast of a window, or its ssim, and its derivatives by the moments x, xx and xy.
template <class A>
struct SsimTerm {
  A value, by_x, by_xx, by_xy;

  ASCORE_HOST_DEVICE SsimTerm(const SsimMoments<A>& m, bool with_luminance) {
    constexpr A C1 = A(0.01 * 0.01), C2 = A(0.03 * 0.03);
    const A variances = (m.xx - m.x * m.x) + (m.yy - m.y * m.y) + C2;
    value = (A(2) * (m.xy - m.x * m.y) + C2) / variances;
    by_x = A(2) * (m.x * value - m.y) / variances;
    by_xx = -value / variances;
    by_xy = A(2) / variances;
    if (!with_luminance) return;
    const A squares = m.x * m.x + m.y * m.y + C1, luminance = (A(2) * m.x * m.y + C1) / squares;
    by_x = luminance * by_x + value * A(2) * (m.y - m.x * luminance) / squares;
    by_xx *= luminance;
    by_xy *= luminance;
    value *= luminance;
  }
};

}  // namespace ascore::kernels
