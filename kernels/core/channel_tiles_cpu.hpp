#pragma once

#include "kernels/core/channel_sums.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/shape.hpp"

#include <algorithm>
#include <cstdint>

namespace ascore::kernels::cpu {

/// Runs body(n, first channel, width) for every image and tile of channels.
template <class Body>
void for_channel_tiles(Stream& stream, int64_t N, int64_t C, Body&& body) {
  const int64_t tiles = (C + kChannelTile - 1) / kChannelTile;
  parallel_for(stream, N * tiles, 2, [&](int64_t i) {
    const int64_t first = i % tiles * kChannelTile;
    body(i / tiles, first, std::min(kChannelTile, C - first));
  });
}

/// The same with runs of pixels: body(n, first channel, width, begin, end).
template <class Body>
void for_pixel_tiles(Stream& stream, const Shape& x, Body&& body) {
  constexpr int64_t kPixels = 128;
  const int64_t P = x[1] * x[2], C = x[3], runs = (P + kPixels - 1) / kPixels;
  parallel_for(stream, x[0] * runs, 2, [&](int64_t i) {
    const int64_t begin = i % runs * kPixels, end = std::min(P, begin + kPixels);
    for (int64_t first = 0; first < C; first += kChannelTile) {
      body(i / runs, first, std::min(kChannelTile, C - first), begin, end);
    }
  });
}

}  // namespace ascore::kernels::cpu
