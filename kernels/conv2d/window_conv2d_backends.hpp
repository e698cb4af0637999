#pragma once

#include "kernels/conv2d/conv2d_epilogue.hpp"
#include "kernels/conv2d/pixel_gather.hpp"
#include "kernels/core/math_mode.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// A product of the pixels that `gather` says with `weight` [O, taps, channels], on each device. Arguments are checked.
namespace ascore::kernels {

namespace cpu {
void window_conv2d(Stream&, const PixelGather& gather, ConstView x, ConstView weight, ConstView bias, MathMode, View y,
                   const Conv2dEpilogue&);
}  // namespace cpu
namespace simt {
decltype(cpu::window_conv2d) window_conv2d;
}  // namespace simt
namespace cuda {
decltype(cpu::window_conv2d) window_conv2d;
}  // namespace cuda

}  // namespace ascore::kernels
