#pragma once

#include "kernels/conv2d/conv2d_epilogue.hpp"
#include "kernels/core/math_mode.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>
#include <string>

namespace ascore::kernels {

struct Conv2dOptions {
  int stride = 1;    ///< outputs are computed at every stride-th pixel of a row and of a column, from the first on
  int dilation = 1;  ///< distance of the taps in pixels
  MathMode math = MathMode::f32;  ///< simt, cuda: how f32 is multiplied
};

/// Convolution with stride s, dilation d and zero padding d r on all sides (PyTorch's Conv2d with that padding), where
/// r = (k-1)/2, rounded down (3x3: 1, 4x4: 1):
///
///   y[n,h,w,o] = bias[o] + sum over a,b,i of weight[o,a,b,i] x[n, s h + d (a - r), s w + d (b - r), i]
///
///   x       [N,H,W,I]    NHWC; f32, bf16, f64 (cpu only)
///   weight  [O,k,k,I]    of x's dtype or f32 (rounded to bf16 for the product where x is bf16)
///   bias    [O]          f32 (f64 with f64), or absent
///   y       [N,H',W',O]  of x's dtype; H' = (H-1-e)/s + 1, W' = (W-1-e)/s + 1, rounded down; e = d for an even k, else
///   0
/// Sums in f32 (f64 for f64), rounded once. An image's result does not depend on N or on the number of threads. simt,
/// cuda: tensor cores, f32 as MathMode says. cpu: 3x3 of stride 1 by Winograd's minimal filtering where channels and
/// sizes fit (winograd.hpp), else oneDNN where it has a direct kernel, else products of gathered pixels
/// (conv2d_implementation says which); weights with a content stamp are repacked once and kept.
/// `epilogue` says what is done with the sums before they are stored; it reads and writes only where y is written. Run
/// moments are of a sum that is stored: beside an activation `sum` must be there too.
/// Errors: ShapeError, DTypeError, ConfigError (negative slope), before anything runs; N = 0: no-op. Cost: 2 N H' W' O
/// I k^2 flops. `workspace`: conv2d_workspace_bytes, or absent.
void conv2d(Stream& stream, ConstView x, ConstView weight, ConstView bias, const Conv2dOptions& options, View y,
            const Conv2dEpilogue& epilogue = {}, View workspace = {});

/// Bytes of workspace with which conv2d and conv2d_dgrad are fastest: on a GPU with Hopper's instructions (sm_90a), for
/// x of bf16, weights of f32 are rounded once, into it, and not by every block. Without it the kernel for all GPUs
/// computes the same sums, in another order. 0 where it would not be used.
size_t conv2d_workspace_bytes(Stream& stream, ConstView x, ConstView weight, const Conv2dOptions& options);

/// Gradient of x: dx[n,p,q,i] = sum over o and those a,b,h,w with p = s h + d (a - r) and q = s w + d (b - r) of
/// weight[o,a,b,i] dy[n,h,w,o]. dy [N,H',W',O] and dx [N,H,W,I] of one dtype, weight as above. Written, not added. Cost
/// as conv2d. `epilogue` and `workspace` as above; dx may be neither of the epilogue's views.
void conv2d_dgrad(Stream& stream, ConstView dy, ConstView weight, const Conv2dOptions& options, View dx,
                  const Conv2dGradEpilogue& epilogue = {}, View workspace = {});

/// Gradients of weight and bias, each computed unless absent:
///
///   dweight[o,a,b,i] = sum over n,h,w of dy[n,h,w,o] x[n, s h + d (a - r), s w + d (b - r), i]
///   dbias[o] = sum over n,h,w of dy[n,h,w,o]
///
///   dweight [O,k,k,I], dbias [O]  f32 (f64 with f64); written, not added (zeros for N = 0)
/// Repeats bit for bit on one device with one number of threads. `workspace`: conv2d_wgrad_workspace_bytes.
void conv2d_wgrad(Stream& stream, ConstView x, ConstView dy, const Conv2dOptions& options, View dweight, View dbias,
                  View workspace);
size_t conv2d_wgrad_workspace_bytes(Device device, const Shape& x, const Shape& weight, const Conv2dOptions& options);

enum class Conv2dPass { forward, dgrad, wgrad };
/// Shape of y.
Shape conv2d_output_shape(const Shape& x, const Shape& weight, const Conv2dOptions& options);

/// Who computes this convolution. On a cpu stream: oneDNN's name of its kernel, or "gather" for products of gathered
/// pixels (f64, builds without oneDNN, and shapes for which oneDNN has only its reference or per-image fallback).
/// Elsewhere "hopper" (where all views begin at multiples of 16 bytes, and weights are bf16 or there is the workspace
/// to round them into) or "portable".
std::string conv2d_implementation(Stream& stream, Conv2dPass pass, const Shape& x, const Shape& weight,
                                  const Conv2dOptions& options, DType dtype);

}  // namespace ascore::kernels
