#pragma once

#include "kernels/conv2d/conv2d.hpp"
#include "kernels/conv2d/conv2d_finish.hpp"
#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/conv2d/pixel_gather.hpp"

/// Two cpu sides of conv2d; winograd.hpp is the third. Arguments are as conv2d.hpp has them, and checked; `shape` is
/// that of the layer.
namespace ascore::kernels::cpu {

/// Products of gathered pixels: every dtype, every shape.
void gather_conv2d(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView weight, ConstView bias,
                   const Finish& finish, View y);
void gather_conv2d_dgrad(Stream& stream, const Conv2dShape& shape, ConstView dy, ConstView weight, const Finish& finish,
                         View dx);
void gather_conv2d_wgrad(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView dy, View dweight);

/// oneDNN (f32, bf16). False, and nothing done, where it has no direct kernel for the shape on this processor, or is
/// not part of this build.
bool library_conv2d(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView weight, ConstView bias,
                    const Finish& finish, View y);
/// The pixels that `gather` says, by windows of any shape; f32 alone.
bool library_window_conv2d(Stream& stream, const PixelGather& gather, ConstView x, ConstView weight, ConstView bias,
                           const Finish& finish, View y);
bool library_conv2d_dgrad(Stream& stream, const Conv2dShape& shape, ConstView dy, ConstView weight,
                          const Finish& finish, View dx);
bool library_conv2d_wgrad(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView dy, View dweight);
/// True if oneDNN multiplies bf16 values as they are; else it computes in f32, on copies of the operands.
bool library_multiplies_bf16(Stream& stream);
/// Name of oneDNN's kernel; empty where the above return false.
std::string library_conv2d_name(Stream& stream, Conv2dPass pass, const Conv2dShape& shape, DType dtype);

}  // namespace ascore::kernels::cpu
