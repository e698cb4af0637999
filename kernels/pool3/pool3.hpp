#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>

namespace ascore::kernels {

struct Pool3Options {
  enum class Kind : uint8_t { max, mean };
  Kind kind = Kind::max;
  int stride = 1;   ///< 1 or more
  int padding = 0;  ///< 0 or 1: by how much the first window begins before the image, and the last may end behind it
};

/// 3x3 maxima or means, for inference: y[n,h,w,c] is that of those pixels of the window x[n, s h - p + i, s w - p + j,
/// c], 0 <= i,j < 3, that lie in the image. So a mean on the border is one of fewer pixels (PyTorch's avg_pool2d with
/// count_include_pad=False, TensorFlow's "SAME").
///
///   x   [N,H,W,C]    NHWC; f32, bf16, f64 (cpu only)
///   y   [N,H',W',C]  of x's dtype; no overlap; H' = (H+2p-3)/s + 1, W' = (W+2p-3)/s + 1, rounded down
/// A NaN in a window wins. Means: summed row by row in f32 (f64 for f64), rounded once. Errors: ShapeError (also for
/// images smaller than a window), DTypeError, before anything runs; N = 0 or C = 0: no-op. Cost: nine reads of x over
/// s^2, of which eight come from the cache, one write of y; no workspace.
void pool3(Stream& stream, ConstView x, const Pool3Options& options, View y);

/// Shape of y.
Shape pool3_output_shape(const Shape& x, const Pool3Options& options);

}  // namespace ascore::kernels
