#pragma once

#include "kernels/core/host_device.hpp"

#include <compare>
#include <cstdint>

namespace ascore::kernels {

/// Sizes of a convolution, as every backend sees them.
struct Conv2dShape {
  int images, height, width;  ///< of the input
  int in, out;                ///< channels
  int kernel;
  int stride = 1, dilation = 1;

  /// Rows (columns) of zeros on each side of the image.
  constexpr int padding() const { return dilation * ((kernel - 1) / 2); }
  constexpr int out_height() const { return outputs(height); }
  constexpr int out_width() const { return outputs(width); }
  constexpr int64_t in_pixels() const { return int64_t(images) * height * width; }
  /// Pixels of one output image, and of all.
  constexpr int64_t out_image() const { return int64_t(out_height()) * out_width(); }
  constexpr int64_t out_pixels() const { return images * out_image(); }
  constexpr int taps() const { return kernel * kernel; }
  /// Weights of one output channel.
  constexpr int depth() const { return taps() * in; }
  auto operator<=>(const Conv2dShape&) const = default;

 private:
  constexpr int outputs(int size) const {
    const int last = size - 1 + 2 * padding() - dilation * (kernel - 1);
    return last < 0 ? 0 : last / stride + 1;
  }
};

}  // namespace ascore::kernels
