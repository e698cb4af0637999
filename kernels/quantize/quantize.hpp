#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Images in [0,1] as bytes: y = floor(255 clamp(x, 0, 1) + 0.5); NaN becomes 0.
///
///   x   any shape; f32, f64 (cpu only)        y   the same shape; u8
/// Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: one read of x, one write of y; no
/// workspace.
void quantize(Stream& stream, ConstView x, View y);

}  // namespace ascore::kernels
