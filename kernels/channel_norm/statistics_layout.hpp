#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>

namespace ascore::kernels {

/// Where the statistics of channel c of image n lie: [N,G] or [C], see channel_norm.hpp.
struct StatisticsLayout {
  int64_t image_stride = 0;
  int32_t group_width = 1;

  StatisticsLayout(const ConstView& statistics, int64_t channels) {
    if (statistics.rank() != 2 || statistics.dim(1) == 0) return;
    image_stride = statistics.dim(1);
    group_width = static_cast<int32_t>(channels / image_stride);
  }
  ASCORE_HOST_DEVICE int64_t operator()(int64_t n, int64_t c) const {
    return n * image_stride + static_cast<int32_t>(c) / group_width;
  }
};

}  // namespace ascore::kernels
