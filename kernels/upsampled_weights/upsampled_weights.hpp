#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// The weights of a convolution of images doubled by nearest neighbours, as those of a transposed convolution: with
///
///   spread[i,a,b,o] = sum over p,q in {0,1} of weight[o,k-1-a+p,k-1-b+q,i], those outside the kernel left out
///
/// conv2d(pool2_spread(x, 1), weight) is conv2d_dgrad(x, spread) with stride 2: every pixel of the doubled image is
/// reached by (k+1)^2 / 4 taps, where it was by k^2, several of which lay on one pixel of x.
///
///   weight [O,k,k,I], spread [I,k+1,k+1,O]   f32, f64 (cpu only), both of one dtype; k odd
/// Sums in the order of (p, q). Errors: ShapeError, DTypeError, before anything runs; empty weight: no-op. Cost: 4
/// reads per element, 1 write.
void upsampled_weights(Stream& stream, ConstView weight, View spread);

/// The gradient: dweight[o,a,b,i] = sum over p,q in {0,1} of dspread[i,k-1-a+p,k-1-b+q,o]. Written, not added.
void upsampled_weights_backward(Stream& stream, ConstView dspread, View dweight);

}  // namespace ascore::kernels
