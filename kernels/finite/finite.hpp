#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// count = how many elements of x are infinite or not a number: the guard that stops a diverged training.
///
///   x       any shape; f32, bf16, f64 (cpu only)
///   count   i32, one element, overwritten; 0 for an empty x
/// Errors: ShapeError, DTypeError, before anything runs. Cost: one read of x; no workspace.
void count_nonfinite(Stream& stream, ConstView x, View count);

}  // namespace ascore::kernels
