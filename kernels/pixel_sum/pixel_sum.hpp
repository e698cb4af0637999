#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y[n,c] = sum over pixels of x[n,h,w,c].
///
///   x   [N,H,W,C]  NHWC; f32, bf16, f64 (cpu only)
///   y   [N,C]      of x's dtype
/// Summed in f32 or wider, rounded once, in an order fixed by device, H, W and C: never by N. An image without pixels
/// sums to 0. Errors: ShapeError, DTypeError, before anything runs. Cost: one read of x; no workspace.
void pixel_sum(Stream& stream, ConstView x, View y);

/// dx[n,h,w,c] = dy[n,c].
///
///   dy [N,C], dx [N,H,W,C]   of one dtype, as above
void pixel_sum_backward(Stream& stream, ConstView dy, View dx);

}  // namespace ascore::kernels
