#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y = factor x + shift.
///
///   x, y   one shape, any; f32, bf16, f64 (cpu only), both of one dtype; y may be x
/// Computed in f32 (f64 for f64), rounded once to bf16. Errors: ShapeError, DTypeError, before anything runs; empty x:
/// no-op. Cost: one read, one write; no workspace.
void affine(Stream& stream, ConstView x, double factor, double shift, View y);

}  // namespace ascore::kernels
