#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"
#include "kernels/group_norm/norm_slab.hpp"

/// The steps of group_norm, between its passes over the images and of its backward pass as a whole.
namespace ascore::kernels {

/// mean and 1/sqrt(var + eps) of every group, from the moments of its channels over `pixels` pixels.
void group_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      View mean, View rstd);

/// offset = rstd mean(gamma g), slope = rstd mean(gamma g xhat), the means over a group, from the sums of its channels
/// over `pixels` pixels.
void group_gradient(Stream& stream, ConstView sum_g, ConstView sum_gx, ConstView gamma, ConstView rstd, int64_t pixels,
                    View offset, View slope);

/// A backward pass over the images: from x and dy the sums of every channel, and dx. Shapes as group_norm_backward has
/// them; sum_g and sum_gx as channel_norm_sums, offset and slope as group_gradient.
struct GroupNormGradient {
  ConstView x, gamma, beta, mean, rstd, dy, residual;
  Activation activation;
  View sum_g, sum_gx, offset, slope, dx;
};

namespace simt {
/// By blocks that keep a slab each: one read of x and dy. Neither offset nor slope is written.
void group_norm_slabs(Stream& stream, const GroupNormGradient& gradient, const NormSlab& slab);
}  // namespace simt
namespace cuda {
decltype(simt::group_norm_slabs) group_norm_slabs;
}

}  // namespace ascore::kernels
