#pragma once

#include "kernels/gemm/tiles.hpp"

#include <algorithm>
#include <cstdint>
#include <numeric>

/// How the backward pass of a group normalisation is cut so that it reads its images once: a block keeps a *slab*, all
/// pixels of some adjacent channels of one image, x and dy, in shared memory. A pure function of the shape.
namespace ascore::kernels {

struct NormSlab {
  int channels = 0;  ///< whole groups of them, in whole chunks of 16 bytes; 0: no slab fits
  int lane_chunks = 0,
      warp_columns = 0;  ///< chunks of a pixel that a warp's neighbouring lanes have; warps side by side
  int warp_rows = 0;     ///< warps that share the pixels

  constexpr int threads() const { return 32 * warp_columns * warp_rows; }
  constexpr int chunks() const { return lane_chunks * warp_columns; }  ///< of a pixel
  /// f32 beside the images: the warps' sums, those of the channels, two numbers per group.
  constexpr int floats() const { return (2 * warp_rows + 4) * channels; }
  constexpr int64_t shared_bytes(int64_t pixels, int64_t element_bytes) const {
    return 2 * pixels * channels * element_bytes + int64_t(floats()) * int64_t(sizeof(float));
  }
};

/// The slab of `channels` channels.
constexpr NormSlab norm_slab_of(int64_t pixels, int64_t channels, int64_t element_bytes) {
  constexpr int kWarps = 8, kMostLaneChunks = 4;
  const auto chunks = static_cast<int>(channels * element_bytes / 16);
  NormSlab slab{.channels = static_cast<int>(channels)};
  slab.lane_chunks = std::gcd(chunks, kMostLaneChunks);
  slab.warp_columns = chunks / slab.lane_chunks;
  const int64_t full = (pixels * slab.lane_chunks + 31) / 32;  // warps that have a pixel for every lane
  slab.warp_rows = static_cast<int>(std::clamp<int64_t>(full, 1, std::max(kWarps / slab.warp_columns, 1)));
  return slab;
}

/// For images of `pixels` pixels and C channels in groups of `width`: the fewest channels whose rows are whole sectors
/// of memory (32 bytes), else the fewest of whole chunks, if they fit.
constexpr NormSlab choose_norm_slab(int64_t pixels, int64_t C, int64_t width, int64_t element_bytes) {
  constexpr int64_t kSectorBytes = 32, kChunkBytes = 16, kMostWarps = 16;
  for (const int64_t unit : {kSectorBytes, kChunkBytes}) {
    const int64_t channels = std::lcm(width, unit / element_bytes);
    if (pixels == 0 || C % channels != 0) continue;
    const NormSlab slab = norm_slab_of(pixels, channels, element_bytes);
    if (slab.warp_columns <= kMostWarps && slab.shared_bytes(pixels, element_bytes) <= kSharedBytesSm80) return slab;
  }
  return {};
}

}  // namespace ascore::kernels
