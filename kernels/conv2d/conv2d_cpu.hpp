#pragma once

#include "kernels/conv2d/conv2d.hpp"
#include "kernels/conv2d/conv2d_finish.hpp"
#include "kernels/conv2d/conv2d_shape.hpp"

/// The two cpu sides of conv2d. Arguments are as conv2d.hpp has them, and checked.
///
/// The gradient of x is itself a convolution of stride 1, of dy (with zeros put between its pixels where the stride is
/// not 1) with the weights *turned*: mirrored in both directions, inputs and outputs exchanged (an even kernel then has
/// its longer half before the pixel). So there is one forward
/// pass for both; `weight` is always the layer's own [O,k,k,I], `shape` that of the convolution to run. (oneDNN's own
/// backward-data kernels are 15-25 % slower than its forward ones, and less general.)
namespace ascore::kernels::cpu {

enum class Weights { as_they_are, turned };

/// The sizes of the convolution that computes dx.
inline Conv2dShape turned(const Conv2dShape& s) {
  return {s.images, s.height, s.width, s.out, s.in, s.kernel, 1, s.dilation, s.kernel % 2 == 0};
}

/// to[i][last - tap][o] = from[o][tap][i], where `s` are the sizes of the convolution that reads `to`: i counts its
/// outputs, o its inputs.
template <class Acc>
void turn_weights(Stream& stream, const Conv2dShape& s, const Acc* from, Acc* to);

/// Products of gathered pixels: every dtype, every shape.
void gather_conv2d(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView weight, Weights use, ConstView bias,
                   const Finish& finish, View y);
void gather_conv2d_wgrad(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView dy, View dweight);

/// oneDNN (f32, bf16). False, and nothing done, where it has no direct kernel for the shape on this processor, or is
/// not part of this build.
bool library_conv2d(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView weight, Weights use,
                    ConstView bias, const Finish& finish, View y);
bool library_conv2d_wgrad(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView dy, View dweight);
/// True if oneDNN computes in f32 what is of this dtype, on copies of the operands.
bool library_widens(Stream& stream, DType dtype);
/// Names of oneDNN's kernels; empty where the above return false.
std::string library_conv2d_name(Stream& stream, const Conv2dShape& shape, DType dtype);
std::string library_conv2d_wgrad_name(Stream& stream, const Conv2dShape& shape, DType dtype);

}  // namespace ascore::kernels::cpu
