#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>

namespace ascore::kernels {

/// Noise levels in order, of which a sigma takes a place that need not be whole.
struct LevelScale {
  double begin = 0, end = 0;  ///< largest and smallest level
  int64_t levels = 0;
  bool linear = false;  ///< spaced by constant difference, else by constant ratio
};

/// The sinusoidal embedding of noise levels (Vaswani et al. 2017, arXiv:1706.03762, section 3.5, with its sines before
/// its cosines): for t = level_place(scale, sigma[n]), h = width / 2 and k < h,
///
///   waves[n, k] = sin(t f_k),   waves[n, h + k] = cos(t f_k),   f_k = longest^(-k / (h - 1))
///
///   sigma   [N]         f32, f64 (cpu only); above 0
///   waves   [N,width]   of its dtype; width even, at least 4
///   longest             the longest wave, in levels and turns of 2 pi
/// The angle is worked out in f64; on simt and cuda sine and cosine are those of kernels/core/exact_f32.hpp, within
/// 2e-7. Errors: ShapeError, DTypeError, before anything runs; no samples: no-op. Cost: N width logarithms; no
/// workspace.
void wave_embedding(Stream& stream, ConstView sigma, const LevelScale& scale, double longest, View waves);

/// Where sigma lies: 0 at `begin`, levels - 1 at `end`.
double level_place(const LevelScale& scale, double sigma);

}  // namespace ascore::kernels
