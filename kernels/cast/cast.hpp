#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y = x in y's dtype, rounded to nearest even (f64 to bf16: by way of f32).
///
///   x, y   one shape, any; each f32, bf16 or f64 (cpu only); no overlap
/// Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: one read, one write; no workspace.
void cast(Stream& stream, ConstView x, View y);

}  // namespace ascore::kernels
