#pragma once

#include "kernels/conv2d/conv2d_epilogue.hpp"
#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/core/hopper_device.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>

/// Convolutions by Hopper's instructions: bf16 only, and shapes that bulk tensor copies can bring. Which kernel
/// computes a convolution depends on its channels, taps and options and on the device, never on the number of images:
/// an image's result stays the same in any batch.
namespace ascore::kernels {

/// True for the shapes of all three passes: an odd kernel with its padding on all sides, channels in whole chunks of 16
/// bytes, and enough of them that the smallest tiles, 128 x 64, are not mostly empty.
constexpr bool fits_hopper(const Conv2dShape& s) {
  constexpr int kChunk = 8, kLeastChannels = 32, kFarthestCorner = 127, kLargestStride = 8;
  return s.kernel % 2 == 1 && !s.same && s.in % kChunk == 0 && s.out % kChunk == 0 && s.in >= kLeastChannels &&
         s.out >= kLeastChannels && s.padding() <= kFarthestCorner && s.stride <= kLargestStride;
}
/// dx is computed as a convolution of dy: of stride 1 only.
constexpr bool dgrad_fits_hopper(const Conv2dShape& s) {
  return fits_hopper(s) && s.stride == 1;
}

/// True if the stream's device has Hopper's instructions, `operands` are bf16, and all of them and `others` begin where
/// whole chunks may. Absent views do not matter.
bool runs_on_hopper(Stream& stream, std::initializer_list<ConstView> operands, std::initializer_list<ConstView> others);

/// f32 elements of workspace that the weight gradient needs.
int64_t hopper_gradient_workspace(const Conv2dShape& s);

// Arguments are as those of conv2d.hpp, checked, with weights of bf16 and at least one image.
namespace simt {
void hopper_conv2d(Stream&, const Conv2dShape&, ConstView x, ConstView weight, ConstView bias, View y,
                   const Conv2dEpilogue&);
void hopper_conv2d_dgrad(Stream&, const Conv2dShape&, ConstView dy, ConstView weight, View dx,
                         const Conv2dGradEpilogue&);
/// dweight only.
void hopper_conv2d_wgrad(Stream&, const Conv2dShape&, ConstView x, ConstView dy, View dweight, float* workspace);
}  // namespace simt
namespace cuda {
decltype(simt::hopper_conv2d) hopper_conv2d;
decltype(simt::hopper_conv2d_dgrad) hopper_conv2d_dgrad;
decltype(simt::hopper_conv2d_wgrad) hopper_conv2d_wgrad;
}  // namespace cuda

}  // namespace ascore::kernels
