#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// From the moments of channels [N,C] over `pixels` pixels to those of the batch [C], and the running statistics' step:
/// the part of batch_norm between its passes over the images.
void batch_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      double momentum, View mean, View rstd, View running_mean, View running_var);

}  // namespace ascore::kernels
