#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// y = mean + sd z with z standard normal: row n of y belongs to sample key.first_sample + n, and every element is a
/// pure function of key, sample and its index in the row (kernels/core/philox.hpp), whatever the batch.
///
///   y   [N,...] (a scalar is one row); f32, f64 (cpu only: the f32 normals, scaled in f64)
/// The normals have the same bits on every device. Errors: DTypeError. Empty y: no-op. Cost: one write of y, about 30
/// operations per element; no workspace.
void random_normal(Stream& stream, const NoiseKey& key, double mean, double sd, View y);

/// y = low + (high - low) u with u uniform in (0, 1]; the rest as random_normal.
void random_uniform(Stream& stream, const NoiseKey& key, double low, double high, View y);

}  // namespace ascore::kernels
