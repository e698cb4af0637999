#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>
#include <cstdint>

namespace ascore {

/// Distance of the denoising score matching loss. l1_msssim is made of l1 and ms_ssim, one layer up: score_loss refuses
/// it.
enum class DsmLoss : uint8_t { l2, l1, l1_msssim };

namespace kernels {

/// Denoising score matching loss (Vincent 2011; mathematics: "Denoising score matching"):
///
///   per_sample[n] = sum over the sample of 0.5 (s - target)^2 (l2) or |s - target| (l1);   mean = sum_n per_sample / N
///
///   s, target    [N,...]  one shape; f32, or f64 (cpu)
///   per_sample   [N]      of their dtype
///   mean         one element of their dtype
///   workspace    score_loss_workspace_bytes(s.shape()) bytes, 8-byte aligned; may be absent where that is 0 or on cpu
/// A sample's sum is taken in an order fixed by its size and the device, never by N. Errors: ShapeError, DTypeError,
/// before anything runs; N must be at least 1. Cost: 2 elements read per element.
void score_loss(Stream& stream, DsmLoss kind, ConstView s, ConstView target, View per_sample, View mean,
                View workspace);
size_t score_loss_workspace_bytes(const Shape& shape);

/// Gradient of `mean` with respect to s: grad_s = grad_mean / N times (s - target), or its sign (0 where equal).
///
///   s, target, grad_s   [N,...]  one shape and dtype, as above; grad_s may be s or target
///   grad_mean           one element of their dtype: the gradient that arrives at `mean`
/// Errors as above. Cost: 2 elements read and 1 written per element; no workspace.
void score_loss_backward(Stream& stream, DsmLoss kind, ConstView s, ConstView target, ConstView grad_mean, View grad_s);

}  // namespace kernels
}  // namespace ascore
