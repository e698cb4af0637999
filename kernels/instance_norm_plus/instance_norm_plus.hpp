#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// InstanceNorm++ (Song & Ermon 2020, arXiv:2006.09011, appendix): instance normalization that gives the channels'
/// means back, normalized among themselves. For channel c of image n,
///
///   y = f(gamma_c ((x - mu_c) rstd_c + alpha_c (mu_c - m) rstd_m) + beta_c),
///   rstd_c = 1 / sqrt(var_c + eps), rstd_m = 1 / sqrt(v + eps), eps = 1e-5
///
/// f: an activation, of the unrounded value; `slope` (at least 0) is leaky_relu's. mu_c, var_c: mean and biased
/// variance over the pixels; m, v: mean and *unbiased* variance of mu over the channels.
///
///   x, y                [N,H,W,C]  NHWC, C at least 2; f32, bf16, f64 (cpu only), both of one dtype; y may be x if no
///                                  backward follows
///   gamma, alpha, beta  [C]        f32 (f64 with f64)
///   mean, rstd          [N,C]      f32 (f64 with f64); written: mu_c and rstd_c
///   channels            [N,2]      f32 (f64 with f64); written: m and rstd_m
///   runs                x's run moments (kernels/core/run_moments.hpp): then x is read only once; or absent
/// Statistics: two passes, in f32 or wider, in an order fixed by device, H, W and C: never by N. Errors: ShapeError,
/// DTypeError, ConfigError (negative slope), before anything runs; empty x: no-op. Cost: 4 elements moved per element
/// where an image leaves the cache, else 2; no workspace.
void instance_norm_plus(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta, View y,
                        View mean, View rstd, View channels, Activation activation = Activation::identity,
                        double slope = 0.01, ConstView runs = {});

/// y again, from the statistics that instance_norm_plus wrote for the same arguments: the same bits. Cost: one read,
/// one write.
void instance_norm_plus_again(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView beta,
                              ConstView mean, ConstView rstd, ConstView channels, View y,
                              Activation activation = Activation::identity, double slope = 0.01);

/// Bytes of workspace that instance_norm_plus_backward needs for x of this shape and dtype.
size_t instance_norm_plus_backward_workspace_bytes(const Shape& x, DType dtype);

/// Gradients of the above without f (dy: of what f is taken of). With S1 = sum dy and S2 = sum dy (x - mu_c) rstd_c
/// over the P pixels, t_c = (mu_c - m) rstd_m and g_c = gamma_c alpha_c S1,
///
///   dx = gamma_c rstd_c (dy - S1/P - (x - mu_c) rstd_c S2/P) + rstd_m (g_c - mean_c g - t_c sum_c(g t)/(C-1)) / P
///        + residual
///   dgamma = sum_n S2 + alpha_c t_c S1,   dalpha = sum_n gamma_c t_c S1,   dbeta = sum_n S1
///
///   x, gamma, alpha, mean, rstd, channels   as given to and written by the forward pass
///   dy, dx                  [N,H,W,C]  of x's dtype; dx may be dy; each gradient is skipped if absent
///   residual                [N,H,W,C]  of x's dtype, or absent (0): what else x's gradient is made of; not dx
///   dgamma, dalpha, dbeta   [C]        f32 (f64 with f64); summed over images in order
///   workspace               u8, at least instance_norm_plus_backward_workspace_bytes
/// Cost: 5 elements moved per element where an image leaves the cache.
void instance_norm_plus_backward(Stream& stream, ConstView x, ConstView gamma, ConstView alpha, ConstView mean,
                                 ConstView rstd, ConstView channels, ConstView dy, View dx, View dgamma, View dalpha,
                                 View dbeta, View workspace, ConstView residual = {});

}  // namespace ascore::kernels
