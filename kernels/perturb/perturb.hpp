#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// The perturbation of denoising score matching: y[n,...] = x[n,...] + sigma[n] z[n,...] with z standard normal, drawn
/// inside: row n belongs to sample key.first_sample + n (as random_normal, the same bits on every device). `minus_z`,
/// if present, receives -z, which is what the network is to estimate.
///
///   x, y, minus_z   [N,...]  one shape; f32, f64 (cpu only); y may be x
///   sigma           [N]      of their dtype
/// Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: 2 to 3 elements moved per element; no
/// workspace.
void perturb(Stream& stream, ConstView x, ConstView sigma, const NoiseKey& key, View y, View minus_z);

}  // namespace ascore::kernels
