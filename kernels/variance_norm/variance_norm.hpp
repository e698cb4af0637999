#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// Normalization by the standard deviation alone: for channel c of image n, over its P pixels,
///
///   y = alpha_c x rstd,   rstd = 1 / sqrt(var + eps), eps = 1e-5, var unbiased (divided by P - 1)
///
///   x, y         [N,H,W,C]  NHWC, P at least 2; f32, bf16, f64 (cpu only), both of one dtype; y may be x if no
///   backward
///                           follows
///   alpha        [C]        f32 (f64 with f64)
///   mean, rstd   [N,C]      f32 (f64 with f64); written: the mean for the gradient's sake
///   workspace    u8, at least variance_norm_workspace_bytes
///   runs         x's run moments (kernels/core/run_moments.hpp): then x is read only once; or absent
/// Statistics: two passes, in f32 or wider, in an order fixed by device, H, W and C: never by N. Errors: ShapeError,
/// DTypeError, before anything runs; no images: no-op. Cost: 4 elements moved per element where an image leaves the
/// cache, else 2.
void variance_norm(Stream& stream, ConstView x, ConstView alpha, View y, View mean, View rstd, View workspace,
                   ConstView runs = {});
size_t variance_norm_workspace_bytes(const Shape& x, DType dtype);

/// Gradients of the above:
///
///   dx = alpha_c rstd (dy - (x - mean) rstd^2 sum(dy x) / (P - 1)),   dalpha = sum_n rstd sum(dy x)
///
///   x, alpha, mean, rstd   as given to and written by the forward pass
///   dy, dx      [N,H,W,C]  of x's dtype; dx may be dy; each gradient is skipped if absent
///   dalpha      [C]        f32 (f64 with f64); summed over images in a fixed order
///   workspace   u8, at least variance_norm_backward_workspace_bytes
void variance_norm_backward(Stream& stream, ConstView x, ConstView alpha, ConstView mean, ConstView rstd, ConstView dy,
                            View dx, View dalpha, View workspace);
size_t variance_norm_backward_workspace_bytes(const Shape& x, DType dtype);

}  // namespace ascore::kernels
