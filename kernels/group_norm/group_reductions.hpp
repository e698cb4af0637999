#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// The steps of group_norm between its passes over the images: from channels [N,C] to groups [N,G].
namespace ascore::kernels {

/// mean and 1/sqrt(var + eps) of every group, from the moments of its channels over `pixels` pixels.
void group_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      View mean, View rstd);

/// offset = rstd mean(gamma g), slope = rstd mean(gamma g xhat), the means over a group, from the sums of its channels
/// over `pixels` pixels.
void group_gradient(Stream& stream, ConstView sum_g, ConstView sum_gx, ConstView gamma, ConstView rstd, int64_t pixels,
                    View offset, View slope);

}  // namespace ascore::kernels
