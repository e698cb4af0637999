#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// A noise level per sample: index[n] uniform in {0, ..., L-1}, sigma[n] = levels[index[n]]. Row n belongs to sample
/// key.first_sample + n and takes the first word of its draw (kernels/core/philox.hpp).
///
///   levels   [L], L >= 1   f32, f64 (cpu only)
///   sigma    [N]           of their dtype
///   index    [N]           i32; may be absent
/// Errors: ShapeError, DTypeError, before anything runs; no samples: no-op. No workspace.
void sigma_draw(Stream& stream, const NoiseKey& key, ConstView levels, View sigma, View index);

}  // namespace ascore::kernels
