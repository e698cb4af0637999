#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// Group normalization (Wu & He 2018, arXiv:1803.08494), with an activation fused: the C channels of an image are G
/// groups of adjacent ones, and over the M = H W C/G elements of each group,
///
///   y = f(gamma_c (x - mean) rstd + beta_c),   rstd = 1 / sqrt(var + eps), var biased (divided by M)
///
/// With G = C and without parameters this is instance normalization.
///
///   x, y         [N,H,W,C]  NHWC, C a multiple of G; f32, bf16, f64 (cpu only), both of one dtype; y may be x if no
///                           backward follows
///   gamma, beta  [C]        f32 (f64 with f64); absent: 1 and 0
///   activation   identity or silu, computed along
///   mean, rstd   [N,G]      f32 (f64 with f64); written; G is read off them
///   workspace    u8, at least group_norm_workspace_bytes
///   runs         x's run moments (kernels/core/run_moments.hpp): then x is read only once; or absent
/// Statistics: moments of every channel by two passes, then of the group, in f32 or wider, in an order fixed by device,
/// H, W and C: never by N. Errors: ShapeError, DTypeError, ConfigError (another activation), before anything runs;
/// empty x: no-op. Cost: 4 elements moved per element where an image leaves the cache, else 2.
void group_norm(Stream& stream, ConstView x, ConstView gamma, ConstView beta, double eps, Activation activation, View y,
                View mean, View rstd, View workspace, ConstView runs = {});
size_t group_norm_workspace_bytes(const Shape& x, DType dtype);

/// Gradients of the above. With xhat = (x - mean) rstd, g = dy f'(gamma_c xhat + beta_c) and means over the group,
///
///   dx = rstd (gamma_c g - mean(gamma g) - xhat mean(gamma g xhat)) + residual,   dgamma_c = sum g xhat,   dbeta_c =
///   sum g
///
///   x, gamma, beta, mean, rstd   as given to and written by the forward pass
///   dy, dx          [N,H,W,C]  of x's dtype; dx may be dy; each gradient is skipped if absent
///   residual        [N,H,W,C]  of x's dtype, or absent (0): what else x's gradient is made of; not dx
///   dgamma, dbeta   [C]        f32 (f64 with f64); summed over images in a fixed order
///   workspace       u8, at least group_norm_backward_workspace_bytes
/// Cost: 3 elements moved per element on GPUs where some groups of one image, x and dy, fit into a block's shared
/// memory (choose_norm_slab: up to 32x32 pixels in most networks), else 5 where an image leaves the cache; silu's input
/// is computed again.
void group_norm_backward(Stream& stream, ConstView x, ConstView gamma, ConstView beta, ConstView mean, ConstView rstd,
                         Activation activation, ConstView dy, View dx, View dgamma, View dbeta, View workspace,
                         ConstView residual = {});
size_t group_norm_backward_workspace_bytes(const Shape& x, int64_t groups, DType dtype);

}  // namespace ascore::kernels
