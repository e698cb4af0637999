#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// A row of zeros above and a column of zeros to the left: y[n,h,w,c] = x[n,h-1,w-1,c], 0 where h or w is 0. It makes
/// odd sizes even, so that they can be pooled.
///
///   x [N,H,W,C]  NHWC; f32, bf16, f64 (cpu only)
///   y [N,H+1,W+1,C]  of x's dtype; no overlap
/// Errors: ShapeError, DTypeError, before anything runs; empty y: no-op. Cost: one read of x, one write of y.
void pad_top_left(Stream& stream, ConstView x, View y);

/// The transpose, and the gradient: x[n,h,w,c] = y[n,h+1,w+1,c].
void crop_top_left(Stream& stream, ConstView y, View x);

}  // namespace ascore::kernels
