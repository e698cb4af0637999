#pragma once

#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/core/hopper.hpp"
#include "kernels/gemm/divisor.hpp"

/// The pixels under the taps of a convolution, as bulk copies bring them.
namespace ascore::kernels::ASCORE_BACKEND {

/// Which pixels a convolution reads: output (n, i, j) reads the base pixel (stride i - padding, stride j - padding) of
/// image n, and those at the offsets of its taps from there.
struct HopperPixels {
  TensorMap map;
  Divisor by_width, by_height;  ///< of the outputs
  int stride, padding, kernel, dilation, channels;

  /// The images [images,height,width,channels] of shape `s`, copied `pixels` pixels at a time, 64 channels each.
  static HopperPixels make(const Conv2dShape& s, const void* images, int pixels) {
    const PixelBox box{images, s.images, s.height, s.width, s.in, 64, pixels, s.stride, -s.padding(), -s.padding()};
    return {make_tensor_map(box),
            Divisor(s.out_width()),
            Divisor(s.out_height()),
            s.stride,
            s.padding(),
            s.kernel,
            s.dilation,
            s.in};
  }

  /// The base pixel of one output.
  struct Base {
    int n, h, w;
  };
  __device__ __forceinline__ Base base(int output) const {
    const int line = by_width.quotient(output), j = by_width.remainder(output, line);
    const int n = by_height.quotient(line), i = by_height.remainder(line, n);
    return {n, i * stride - padding, j * stride - padding};
  }

  __device__ __forceinline__ void load(void* shared, uint64_t* barrier, const Base& first, int channel, int tap_h,
                                       int tap_w) const {
    bulk_load_pixels(shared, &map, barrier, channel, first.w, first.h, first.n, tap_w * dilation, tap_h * dilation);
  }
};

}  // namespace ascore::kernels::ASCORE_BACKEND
