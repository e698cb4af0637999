#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Bilinear interpolation with aligned corners: row i of y lies at row i (H-1)/(H'-1) of x (at row 0 if H' = 1),
/// columns likewise; y is the mean of the four pixels around, weighted by nearness. As PyTorch's align_corners=True.
///
///   x   [N,H,W,C]    NHWC; f32, bf16, f64 (cpu only)
///   y   [N,H',W',C]  of x's dtype; no overlap
/// Positions are rational and exact; computed in f32 (f64 for f64), rounded once. Errors: ShapeError (also for an x
/// without pixels where y has some), DTypeError, before anything runs; empty y: no-op. Cost: one read of x, one write
/// of y; no workspace.
void bilinear_resize(Stream& stream, ConstView x, View y);

/// The same with borders that meet: row i of y lies at row (i + 1/2) H/H' - 1/2 of x, columns likewise, and beyond the
/// outermost rows and columns these go on. As PyTorch's align_corners=False without antialiasing: where y is smaller,
/// pixels in between are skipped. For inference.
void bilinear_resize_half_pixel(Stream& stream, ConstView x, View y);

/// dx of bilinear_resize: every pixel of x sums, in row order, the pixels of dy that it has a weight in.
///
///   dy [N,H',W',C], dx [N,H,W,C]   of one dtype, as above
void bilinear_resize_backward(Stream& stream, ConstView dy, View dx);

}  // namespace ascore::kernels
