#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Transposed matrices: y[n,b,a] = x[n,a,b]. With A pixels and B channels, from NHWC to NCHW; its own inverse, and
/// gradient.
///
///   x [N,A,B], y [N,B,A]   f32, bf16, f64 (cpu only), both of one dtype; no overlap
/// Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: one read, one write; no workspace.
void transpose(Stream& stream, ConstView x, View y);

}  // namespace ascore::kernels
