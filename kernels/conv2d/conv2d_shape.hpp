#pragma once

#include "kernels/core/host_device.hpp"

#include <compare>
#include <cstdint>

namespace ascore::kernels {

/// Sizes of a convolution, as every backend sees them.
struct Conv2dShape {
  int images, height, width;  ///< of the input
  int in, out;                ///< channels
  int kernel;                 ///< odd
  int stride = 1, dilation = 1;

  constexpr int padding() const { return dilation * (kernel / 2); }
  constexpr int out_height() const { return (height - 1) / stride + 1; }
  constexpr int out_width() const { return (width - 1) / stride + 1; }
  constexpr int64_t in_pixels() const { return int64_t(images) * height * width; }
  constexpr int64_t out_pixels() const { return int64_t(images) * out_height() * out_width(); }
  constexpr int taps() const { return kernel * kernel; }
  /// Weights of one output channel.
  constexpr int depth() const { return taps() * in; }
  auto operator<=>(const Conv2dShape&) const = default;
};

}  // namespace ascore::kernels
