#pragma once

#include "kernels/core/host_device.hpp"

#include <cstdint>

namespace ascore::kernels {

/// An output point lies between in-points `low` and `low + 1`, `fraction` of the way; on the border `high` is `low`.
struct ResizeSource {
  int64_t low, high;
  double fraction;
};

/// One dimension of a resize with aligned corners, from `in` to `out` points: in whole numbers, so that no point falls
/// on the wrong side of a neighbour by rounding.
struct ResizeAxis {
  int64_t in, out;

  ASCORE_HOST_DEVICE ResizeSource source(int64_t i) const {
    if (out == 1) return {0, 0, 0.0};
    const int64_t scaled = i * (in - 1), low = scaled / (out - 1);
    return {low, low + 1 < in ? low + 1 : low,
            static_cast<double>(scaled - low * (out - 1)) / static_cast<double>(out - 1)};
  }

  /// The output points that in-point p may have a weight in: [first, last].
  ASCORE_HOST_DEVICE int64_t first(int64_t p) const {
    if (in == 1 || p == 0) return 0;
    return (p - 1) * (out - 1) / (in - 1);
  }
  ASCORE_HOST_DEVICE int64_t last(int64_t p) const {
    if (in == 1) return out - 1;
    const int64_t i = ((p + 1) * (out - 1) + in - 2) / (in - 1);
    return i < out - 1 ? i : out - 1;
  }

  /// Weight of in-point p in output point i: 1 where they meet, falling to 0 at the next in-points.
  ASCORE_HOST_DEVICE double weight(int64_t p, int64_t i) const {
    if (out == 1) return p == 0 ? 1.0 : 0.0;
    const int64_t distance = i * (in - 1) - p * (out - 1), size = distance < 0 ? -distance : distance;
    return size < out - 1 ? static_cast<double>(out - 1 - size) / static_cast<double>(out - 1) : 0.0;
  }
};

/// One dimension of a resize whose borders meet, in whole numbers: points are the middles of equal intervals, point i
/// lies at (i + 1/2) in/out - 1/2, and outside the middles of the outermost in-points their values go on.
struct HalfPixelAxis {
  int64_t in, out;

  ASCORE_HOST_DEVICE ResizeSource source(int64_t i) const {
    const int64_t scaled = (2 * i + 1) * in - out, inside = scaled < 0 ? 0 : scaled;  // of 2 out
    const int64_t low = inside / (2 * out);
    return {low, low + 1 < in ? low + 1 : low,
            static_cast<double>(inside - low * 2 * out) / static_cast<double>(2 * out)};
  }
};

}  // namespace ascore::kernels
