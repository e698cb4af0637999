#pragma once

#include "kernels/core/host_device.hpp"

#include <cstdint>

namespace ascore::kernels {

/// The windows of three pixels along one dimension.
struct Windows3 {
  int64_t in, out;
  int stride, padding;

  /// The pixels of window i that lie in the image: [first, last).
  ASCORE_HOST_DEVICE int64_t first(int64_t i) const {
    const int64_t begin = i * stride - padding;
    return begin < 0 ? 0 : begin;
  }
  ASCORE_HOST_DEVICE int64_t last(int64_t i) const {
    const int64_t end = i * stride - padding + 3;
    return end < in ? end : in;
  }
};

}  // namespace ascore::kernels
