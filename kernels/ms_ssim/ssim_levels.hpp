#pragma once

#include "kernels/core/host_device.hpp"
#include "kernels/core/shape.hpp"
#include "kernels/ms_ssim/ssim_terms.hpp"

#include <array>
#include <cstdint>

namespace ascore::kernels {

/// One resolution of a batch of images: [N,H,W,C], seen as N images of H rows of W C elements.
struct SsimLevel {
  int64_t N, H, W, C;
  int64_t offset;  ///< of x's images in the pyramid, for all levels but the first

  ASCORE_HOST_DEVICE int64_t count() const { return N * H * W * C; }
  /// Windows along each side.
  ASCORE_HOST_DEVICE int64_t rows() const { return H - kSsimWindow + 1; }
  ASCORE_HOST_DEVICE int64_t columns() const { return W - kSsimWindow + 1; }
  ASCORE_HOST_DEVICE int64_t windows() const { return N * rows() * columns() * C; }

  /// The next coarser level: a side of odd length begins with a zero.
  SsimLevel halved(int64_t at) const { return {N, (H + 1) / 2, (W + 1) / 2, C, at}; }
};

inline std::array<SsimLevel, kSsimLevels> ssim_levels(const Shape& x) {
  std::array<SsimLevel, kSsimLevels> levels{};
  levels[0] = {x[0], x[1], x[2], x[3], 0};
  for (size_t l = 1, at = 0; l < kSsimLevels; ++l) {
    levels[l] = levels[l - 1].halved(static_cast<int64_t>(at));
    at += static_cast<size_t>(levels[l].count());
  }
  return levels;
}

/// Elements of x's levels in the pyramid; y's follow.
inline int64_t pyramid_half(const std::array<SsimLevel, kSsimLevels>& levels) {
  return levels.back().offset + levels.back().count();
}

/// x or y at level l: the images themselves, or their part of the pyramid.
template <class T>
T* level_images(const std::array<SsimLevel, kSsimLevels>& levels, size_t l, T* images, T* pyramid, bool is_y) {
  return l == 0 ? images : pyramid + levels[l].offset + (is_y ? pyramid_half(levels) : 0);
}

}  // namespace ascore::kernels
