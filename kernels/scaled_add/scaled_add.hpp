#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y = a x + b z, or a x where z is absent.
///
///   x, z, y   one shape, any; f32, bf16, f64 (cpu only), all of one dtype; y may be x or z
/// Computed in f32 (f64 for f64), rounded once. Errors: ShapeError, DTypeError, before anything runs; empty x: no-op.
/// Cost: 3 elements moved per element (2 without z); no workspace.
void scaled_add(Stream& stream, double a, ConstView x, double b, ConstView z, View y);

}  // namespace ascore::kernels
