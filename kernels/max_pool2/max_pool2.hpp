#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Maxima of blocks of 2x2 pixels: y[n,h,w,c] = max over i,j in {0,1} of x[n,2h+i,2w+j,c].
///
///   x        [N,2H,2W,C]  NHWC; f32, bf16, f64 (cpu only)
///   y        [N,H,W,C]    of x's dtype; no overlap
///   winner   [N,H,W,C]    u8, written unless absent: 2i+j of the maximum; of equal ones, the first in row order
/// A NaN wins. Errors: ShapeError (odd height or width), DTypeError, before anything runs; empty x: no-op. Cost: one
/// read of x, one write of y and winner; no workspace.
void max_pool2(Stream& stream, ConstView x, View y, View winner);

/// Every pixel of dx is dy of its block where it is the winner, else zero.
///
///   winner [N,H,W,C] as written by the forward pass, dy [N,H,W,C], dx [N,2H,2W,C] of dy's dtype
void max_pool2_backward(Stream& stream, ConstView winner, ConstView dy, View dx);

}  // namespace ascore::kernels
