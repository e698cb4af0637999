#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// What inpainting does before every evaluation of the score, in place: where mask[i] is not 0,
/// x[n,i] = reference[n,i] + sigma z[n,i], with z standard normal, drawn inside: row n belongs to sample
/// key.first_sample + n (as random_normal). Elsewhere x stays as it is.
///
///   x, reference   [N,...]  one shape; f32, f64 (cpu only), one dtype
///   mask           [...]    u8, of one sample's shape: the same for all
///   sigma          [1]      f64, in memory of the device
/// Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: 2 elements and a byte moved per known
/// element, a byte per other one; no workspace.
void replace_known(Stream& stream, View x, ConstView reference, ConstView mask, StepScalars sigma, const NoiseKey& key);

}  // namespace ascore::kernels
