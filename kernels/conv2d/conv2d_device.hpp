#pragma once

#include "kernels/conv2d/conv2d_epilogue.hpp"
#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/core/math_mode.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// The device sides of conv2d, which linear uses too: N rows of I elements are N images of one pixel. Arguments are as
/// conv2d.hpp has them, and checked.
namespace ascore::kernels {

namespace simt {
void conv2d(Stream&, const Conv2dShape&, ConstView x, ConstView weight, ConstView bias, MathMode, View y,
            const Conv2dEpilogue&);
void conv2d_dgrad(Stream&, const Conv2dShape&, ConstView dy, ConstView weight, MathMode, View dx,
                  const Conv2dGradEpilogue&);
void conv2d_wgrad(Stream&, const Conv2dShape&, ConstView x, ConstView dy, MathMode, View dweight, View dbias,
                  View workspace);
}  // namespace simt
namespace cuda {
decltype(simt::conv2d) conv2d;
decltype(simt::conv2d_dgrad) conv2d_dgrad;
decltype(simt::conv2d_wgrad) conv2d_wgrad;
}  // namespace cuda

}  // namespace ascore::kernels
