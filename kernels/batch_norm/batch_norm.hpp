#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// Batch normalization in training (Ioffe & Szegedy 2015, arXiv:1502.03167; as PyTorch's BatchNorm2d): over the
/// M = N H W elements of each channel,
///
///   y = gamma_c (x - mean_c) rstd_c + beta_c,   rstd_c = 1 / sqrt(var_c + eps), var biased (divided by M)
///   running_mean += momentum (mean - running_mean),   running_var += momentum (var M/(M-1) - running_var)
///
///   x, y                      [N,H,W,C]  NHWC, M at least 2; f32, bf16, f64 (cpu only), both of one dtype; y may be x
///                                        if no backward follows
///   gamma, beta               [C]        f32 (f64 with f64)
///   mean, rstd                [C]        f32 (f64 with f64); written
///   running_mean, running_var [C]        f32 (f64 with f64); updated
///   workspace                 u8, at least batch_norm_workspace_bytes
///   runs                      x's run moments (kernels/core/run_moments.hpp): then x is read only once; or absent
/// Statistics: moments of every channel of every image by two passes, then of the batch, in f32 or wider, in an order
/// fixed by device and shape. Errors: ShapeError, DTypeError, before anything runs. Cost: 4 elements moved per element.
void batch_norm(Stream& stream, ConstView x, ConstView gamma, ConstView beta, double eps, double momentum, View y,
                View mean, View rstd, View running_mean, View running_var, View workspace, ConstView runs = {});
size_t batch_norm_workspace_bytes(const Shape& x, DType dtype);

/// What is constant for the gradient of batch_norm.
enum class BatchStatistics { of_the_batch, running };

/// Gradients of the above, or, with `running` statistics (rstd = 1 / sqrt(running_var + eps), by inverse_deviation),
/// of y = gamma_c (x - running_mean_c) rstd_c + beta_c, where these are constants. With xhat = (x - mean) rstd,
///
///   dx = gamma_c rstd_c (dy - mean(dy) - xhat mean(dy xhat)) or gamma_c rstd_c dy,   dgamma = sum dy xhat, dbeta = sum
///   dy
///
///   x, gamma, mean, rstd   as given to and written by the forward pass
///   dy, dx          [N,H,W,C]  of x's dtype; dx may be dy; each gradient is skipped if absent
///   dgamma, dbeta   [C]        f32 (f64 with f64)
///   workspace       u8, at least batch_norm_backward_workspace_bytes
/// Cost: 5 elements moved per element.
void batch_norm_backward(Stream& stream, BatchStatistics statistics, ConstView x, ConstView gamma, ConstView mean,
                         ConstView rstd, ConstView dy, View dx, View dgamma, View dbeta, View workspace);
size_t batch_norm_backward_workspace_bytes(const Shape& x, DType dtype);

}  // namespace ascore::kernels
