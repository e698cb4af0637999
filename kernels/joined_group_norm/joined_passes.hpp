#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// The passes over the images that joined_group_norm is made of, one set per backend: those of kernels/channel_norm
/// with an image in two parts. Arguments are checked; C = A + B.
namespace ascore::kernels {

/// What channels are normalised by: mean, rstd [N,G]; gamma, beta [C], or absent.
struct JoinedNormalizer {
  ConstView mean, rstd, gamma, beta;
  Activation activation;
};

namespace cpu {
/// Mean over the pixels, and sum of squared distances from it, of every channel: [N,C].
void joined_moments(Stream&, ConstView a, ConstView b, View mean, View squares);
void joined_norm(Stream&, ConstView a, ConstView b, const JoinedNormalizer& by, View y);
/// sum_g = sum g, sum_gx = sum g xhat over the pixels, g = dy f'(gamma xhat + beta): [N,C].
void joined_sums(Stream&, ConstView a, ConstView b, ConstView dy, const JoinedNormalizer& by, View sum_g, View sum_gx);
/// gamma rstd g - offset - slope xhat (+ residual), offset and slope [N,G]; da and db, each unless absent.
void joined_gradient(Stream&, ConstView a, ConstView b, ConstView dy, const JoinedNormalizer& by, ConstView offset,
                     ConstView slope, ConstView residual_a, ConstView residual_b, View da, View db);
}  // namespace cpu
namespace simt {
decltype(cpu::joined_moments) joined_moments;
decltype(cpu::joined_norm) joined_norm;
decltype(cpu::joined_sums) joined_sums;
decltype(cpu::joined_gradient) joined_gradient;
}  // namespace simt
namespace cuda {
decltype(cpu::joined_moments) joined_moments;
decltype(cpu::joined_norm) joined_norm;
decltype(cpu::joined_sums) joined_sums;
decltype(cpu::joined_gradient) joined_gradient;
}  // namespace cuda

}  // namespace ascore::kernels
