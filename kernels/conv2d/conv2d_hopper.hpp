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

/// True for the shapes of the forward pass and of the weights' gradient: padding and taps that bulk copies reach,
/// channels in whole chunks of 16 bytes, and enough of them: of fewer, a slice of 64 along the depth would be
/// mostly zeros, and so would be the narrowest tile, 256 x 64.
constexpr bool fits_hopper(const Conv2dShape& s) {
  constexpr int kChunk = 8, kLeastChannels = 32, kFarthestTap = 255, kFarthestCorner = 128, kLargestStride = 8;
  const int reach = s.dilation * (s.kernel - 1);
  return s.in % kChunk == 0 && s.out % kChunk == 0 && s.in >= kLeastChannels && s.out >= kLeastChannels &&
         reach <= kFarthestTap && reach - s.padding() + s.stride - 1 <= kFarthestCorner && s.stride <= kLargestStride;
}
/// dx is computed as convolutions of dy, one for each pixel of a stride's square: each must have a tap.
constexpr bool dgrad_fits_hopper(const Conv2dShape& s) {
  return fits_hopper(s) && (s.stride == 1 || (s.stride == 2 && s.dilation == 1 && s.kernel >= 2));
}

/// True if the stream's device has Hopper's instructions, `operands` are bf16, and all of them and `others` begin where
/// whole chunks may. Absent views do not matter.
bool runs_on_hopper(Stream& stream, std::initializer_list<ConstView> operands, std::initializer_list<ConstView> others);

/// f32 elements of workspace that the weight gradient needs.
int64_t hopper_gradient_workspace(const Conv2dShape& s);

/// Bytes of weights of f32 in bf16, if Hopper's instructions are to multiply images of dtype `images` by them; else 0.
size_t hopper_weight_bytes(Stream& stream, const Conv2dShape& s, DType images, ConstView weight);
/// The weights, rounded into the workspace if they are such and it has room for them.
ConstView hopper_weights(Stream& stream, const Conv2dShape& s, DType images, ConstView weight, View workspace);

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
