#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y = min(max(x, low), high); NaN stays NaN.
///
///   x, y   one shape, any; f32, bf16, f64 (cpu only), both of one dtype; y may be x if no backward follows
/// Errors: ShapeError, DTypeError, ConfigError (low > high), before anything runs; empty x: no-op. Cost: one read, one
/// write; no workspace.
void clamp(Stream& stream, ConstView x, double low, double high, View y);

/// dx = dy where low <= x <= high, else 0: the gradient passes on the borders, as in PyTorch.
///
///   x, dy, dx   one shape and dtype as above; dx may be dy
void clamp_backward(Stream& stream, ConstView x, ConstView dy, double low, double high, View dx);

}  // namespace ascore::kernels
