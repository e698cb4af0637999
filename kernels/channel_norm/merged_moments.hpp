#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// The moments of channels, as channel_moments gives them, of images of `pixels` pixels, from those of their runs
/// (kernels/core/run_moments.hpp) [N,S,2,C], S at least 1 and a divisor of `pixels`: mean and squares [N,C], all f32
/// (f64 on the cpu). Errors: ShapeError, DTypeError, before anything runs. Cost: one read of the runs' moments.
void merged_moments(Stream& stream, ConstView runs, int64_t pixels, View mean, View squares);

}  // namespace ascore::kernels
