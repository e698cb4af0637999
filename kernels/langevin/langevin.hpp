#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// One update of a Langevin-type sampler, in place: x += a d + b z, with z standard normal, drawn inside: row n belongs
/// to sample key.first_sample + n (as random_normal). With b = 0 nothing is drawn.
///
///   x, d           [N,...]  one shape; f32, f64 (cpu only), one dtype; d may be absent: then x += b z
///   coefficients   [2]      f64, a and b, in memory of the device
/// Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: 3 elements moved per element; no
/// workspace.
void langevin_step(Stream& stream, View x, ConstView d, StepScalars coefficients, const NoiseKey& key);

/// The same with noise z that is given: of x's shape and dtype, or absent, which stands for b = 0.
void langevin_step_given(Stream& stream, View x, ConstView d, StepScalars coefficients, ConstView z);

}  // namespace ascore::kernels
