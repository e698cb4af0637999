#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// The weights of a convolution followed by 2x2 means, as one convolution of stride 2 with a kernel wider by one:
///
///   boxed[o,a,b,i] = 1/4 sum over p,q in {0,1} of weight[o,a-p,b-q,i], those outside the kernel left out
///
///   weight [O,k,k,I], boxed [O,k+1,k+1,I]   f32, f64 (cpu only), both of one dtype; k odd
/// conv2d with an even kernel has its shorter half of zeros before the image, as this needs. Sums in the order of (p,
/// q). Errors: ShapeError, DTypeError, before anything runs; empty weight: no-op. Cost: 4 reads per element, 1 write.
void box_weights(Stream& stream, ConstView weight, View boxed);

/// The gradient: dweight[o,a,b,i] = 1/4 sum over p,q in {0,1} of dboxed[o,a+p,b+q,i]. Written, not added.
void box_weights_backward(Stream& stream, ConstView dboxed, View dweight);

}  // namespace ascore::kernels
