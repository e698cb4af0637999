#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Sets every element to `value`, rounded to the element type.
///
///   y   any shape; f32, bf16, f64 (cpu only)
/// Errors: DTypeError. Empty y: no-op. Cost: one write of y; no workspace.
void fill(Stream& stream, View y, double value);

}  // namespace ascore::kernels
