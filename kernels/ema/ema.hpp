#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Exponential moving average, in place: shadow <- decay shadow + (1 - decay) parameters.
///
///   shadow, parameters   any shape of one count; f32, or f64 (cpu)
/// Optimizer steps can do this in the same pass (the `ema` argument of adam, rmsprop, sgd): this is for averages beside
/// them. Errors: ShapeError, DTypeError, before anything runs; empty: no-op. Cost: 2 elements read and 1 written per
/// parameter; no workspace.
void ema(Stream& stream, View shadow, ConstView parameters, double decay);

}  // namespace ascore::kernels
