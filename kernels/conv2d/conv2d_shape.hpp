#pragma once

#include "kernels/core/host_device.hpp"

#include <compare>
#include <cstdint>

namespace ascore::kernels {

/// Sizes of a convolution, as every backend sees them.
struct Conv2dShape {
  int images, height, width;
  int in, out;           ///< channels
  int kernel, dilation;  ///< kernel is odd; padding dilation (kernel - 1) / 2

  ASCORE_HOST_DEVICE int64_t pixels() const { return int64_t(images) * height * width; }
  ASCORE_HOST_DEVICE int taps() const { return kernel * kernel; }
  auto operator<=>(const Conv2dShape&) const = default;
};

}  // namespace ascore::kernels
