#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// What the normalisations by mean and variance (group, instance, batch, variance norm) have in common: the passes over
/// the images. How the statistics of channels become those of a group or a batch is theirs.
///
///   x, y, dy, dx   [N,H,W,C]  NHWC; f32, bf16, f64 (cpu only), all of one dtype
/// All else is f32 (f64 with f64). Statistics `mean` and `rstd` (and what is laid out like them) are [N,G]: those of
/// the C/G adjacent channels of group g of image n; or [C]: those of channel c of all images. Errors: ShapeError,
/// DTypeError, before anything runs. Sums are taken in an order fixed by device and shape.
namespace ascore::kernels {

/// mean[n,c]: mean of the P = H W pixels; squares[n,c]: sum of (x - mean[n,c])^2, by two passes. Both [N,C]. Empty x:
/// no-op. Cost: one read of x where an image leaves the cache twice. `runs`: x's run moments
/// (kernels/core/run_moments.hpp), from which they are put together without a read of x (merged_moments), or absent.
void channel_moments(Stream& stream, ConstView x, View mean, View squares, ConstView runs = {});

/// y = f(gamma_c (x - mean) rstd + beta_c). mean, gamma [C] and beta [C] may be absent: 0, 1 and 0; y may be x. f:
/// identity or silu, or ConfigError. Empty x: no-op. Cost: one read, one write.
void channel_norm(Stream& stream, ConstView x, ConstView mean, ConstView rstd, ConstView gamma, ConstView beta,
                  Activation activation, View y);

/// With g = dy f'(gamma_c (x - mean) rstd + beta_c) and xhat = (x - mean) rstd, the sums over the pixels sum_g[n,c] =
/// sum g and sum_gx[n,c] = sum g xhat, both [N,C]; zeros where an image has no pixels. Otherwise as channel_norm.
void channel_norm_sums(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                       ConstView beta, Activation activation, View sum_g, View sum_gx);

/// dx = gamma_c rstd g - offset - slope xhat + residual. offset and slope are laid out like rstd; each may be absent
/// (0), as residual, which is of x's shape and dtype and not dx. Otherwise as channel_norm_sums; dx may be dy. Empty x:
/// no-op.
void channel_norm_gradient(Stream& stream, ConstView x, ConstView dy, ConstView mean, ConstView rstd, ConstView gamma,
                           ConstView beta, Activation activation, ConstView offset, ConstView slope, View dx,
                           ConstView residual = {});

/// total[c] = sum over images n, in a fixed order, of sums[n,c]: parameters' gradients. [N,C] -> [C].
void image_sums(Stream& stream, ConstView sums, View total);

}  // namespace ascore::kernels
