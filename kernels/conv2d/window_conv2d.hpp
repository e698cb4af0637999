#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/math_mode.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

struct WindowConv2dOptions {
  int stride = 1;                                ///< outputs at every stride-th window of a row and of a column
  int pad_height = 0, pad_width = 0;             ///< rows of zeros above and below the image, columns beside it
  Activation activation = Activation::identity;  ///< of the sums; leaky_relu's slope is 0.01
  MathMode math = MathMode::f32;                 ///< simt, cuda: how f32 is multiplied
};

/// Convolution by windows of any height a and width b, with stride s and any zero padding (p, q), for inference:
///
///   y[n,h,w,o] = f(bias[o] + sum over i,j,c of weight[o,i,j,c] x[n, s h + i - p, s w + j - q, c])
///
///   x       [N,H,W,C]    NHWC; f32, bf16, f64 (cpu only)
///   weight  [O,a,b,C]    of x's dtype or f32 (rounded to bf16 for the product where x is bf16)
///   bias    [O]          f32 (f64 with f64), or absent
///   y       [N,H',W',O]  of x's dtype; H' = (H+2p-a)/s + 1, W' = (W+2q-b)/s + 1, rounded down
/// Sums in f32 (f64 for f64), rounded once. An image's result does not depend on N or on the number of threads. cpu:
/// oneDNN where it has a direct kernel for f32, else products of gathered pixels; simt, cuda: conv2d's kernel for all
/// GPUs. Square windows with (k-1)/2 zeros around are conv2d's, which has gradients. Errors: ShapeError
/// (also for windows that do not fit into the image and its zeros, and for padding of a window or more), DTypeError,
/// before anything runs; N = 0: no-op. Cost: 2 N H' W' O a b C flops; no workspace.
void window_conv2d(Stream& stream, ConstView x, ConstView weight, ConstView bias, const WindowConv2dOptions& options,
                   View y);

/// Shape of y.
Shape window_conv2d_output_shape(const Shape& x, const Shape& weight, const WindowConv2dOptions& options);

}  // namespace ascore::kernels
