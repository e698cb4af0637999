#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y[n] = (x[n,0], ..., x[n,D-1], c[n]).
///
///   x [N,D], c [N], y [N,D+1]   f32, bf16, f64 (cpu only), all of one dtype; no overlap
/// Errors: ShapeError, DTypeError, before anything runs; N = 0: no-op. Cost: one read of x and c, one write of y; no
/// workspace.
void append_column(Stream& stream, ConstView x, ConstView c, View y);

/// dx[n,d] = dy[n,d] for d < D: the gradient of x.
///
///   dy [N,D+1], dx [N,D]   as above
void append_column_backward(Stream& stream, ConstView dy, View dx);

}  // namespace ascore::kernels
