#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Sums over blocks of 2x2 pixels, y[n,h,w,c] = factor sum over i,j in {0,1} of x[n,2h+i,2w+j,c]: mean pooling with
/// factor 1/4; with factor 1 the gradient of nearest-neighbour doubling.
///
///   x   [N,2H,2W,C]  NHWC; f32, bf16, f64 (cpu only)
///   y   [N,H,W,C]    of x's dtype; no overlap
/// Computed in f32 (f64 for f64), rounded once. Errors: ShapeError (odd height or width), DTypeError, before anything
/// runs; empty x: no-op. Cost: one read of x, one write of y; no workspace.
void pool2_sum(Stream& stream, ConstView x, double factor, View y);

/// The transpose: every pixel fills a block, y[n,h,w,c] = factor x[n,h/2,w/2,c]. Nearest-neighbour doubling with factor
/// 1; with factor 1/4 the gradient of mean pooling.
///
///   x [N,H,W,C], y [N,2H,2W,C]   as above
void pool2_spread(Stream& stream, ConstView x, double factor, View y);

}  // namespace ascore::kernels
