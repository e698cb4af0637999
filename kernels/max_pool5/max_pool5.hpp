#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// 5x5 maximum, stride 1, padding 2 with -infinity: y[n,h,w,c] = max over |i|,|j| <= 2 of x[n,h+i,w+j,c].
///
///   x, y     [N,H,W,C]  NHWC; f32, bf16, f64 (cpu only), both of one dtype; no overlap
///   winner   [N,H,W,C]  u8, written unless absent: 5 (i+2) + (j+2) of the maximum; of equal ones, the first in row
///   order
/// A NaN in a window wins. Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: one read, one
/// write, and winner; no workspace.
void max_pool5(Stream& stream, ConstView x, View y, View winner);

/// dx[p] = sum of dy[q] over the windows q whose winner is p, in row order of q.
///
///   winner   as written by the forward pass
///   dy, dx   [N,H,W,C]  of x's dtype; no overlap
void max_pool5_backward(Stream& stream, ConstView winner, ConstView dy, View dx);

}  // namespace ascore::kernels
