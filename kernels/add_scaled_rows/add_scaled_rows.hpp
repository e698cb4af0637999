#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y[n,...] = x[n,...] + sigma[n] z[n,...], or sigma[n] z[n,...] where x is absent: perturbation by noise that is
/// given, and Tweedie's formula H(x) = x + sigma s(x) with its gradient.
///
///   x, z, y   [N,...]  one shape; f32, f64 (cpu only); y may be x or z
///   sigma     [N]      of their dtype
/// Errors: ShapeError, DTypeError, before anything runs; empty z: no-op. Cost: 3 elements moved per element (2 without
/// x); no workspace.
void add_scaled_rows(Stream& stream, ConstView x, ConstView sigma, ConstView z, View y);

}  // namespace ascore::kernels
