#pragma once

#include "kernels/gemm/tiles.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

/// The tiles of hopper_product.hpp, and which of them a product takes: pure functions of sizes. The tile never changes
/// the bits of a result.
namespace ascore::kernels {

enum class HopperTileKind : uint8_t { wide, tall, square, narrow };
inline constexpr std::array kHopperTileKinds{HopperTileKind::wide, HopperTileKind::tall, HopperTileKind::square,
                                             HopperTileKind::narrow};

constexpr int hopper_rows(HopperTileKind kind) {
  return kind == HopperTileKind::tall || kind == HopperTileKind::narrow ? 256 : 128;
}
constexpr int hopper_columns(HopperTileKind kind) {
  return kind == HopperTileKind::wide ? 256 : kind == HopperTileKind::narrow ? 64 : 128;
}
/// Calls body.operator()<kind>().
template <class Body>
void for_hopper_tile(HopperTileKind kind, const Body& body) {
  switch (kind) {
    case HopperTileKind::wide:
      return body.template operator()<HopperTileKind::wide>();
    case HopperTileKind::tall:
      return body.template operator()<HopperTileKind::tall>();
    case HopperTileKind::square:
      return body.template operator()<HopperTileKind::square>();
    case HopperTileKind::narrow:
      return body.template operator()<HopperTileKind::narrow>();
  }
}

constexpr int64_t hopper_tiles(HopperTileKind kind, int64_t rows, int64_t columns) {
  return tiles_along(rows, hopper_rows(kind)) * tiles_along(columns, hopper_columns(kind));
}

/// The kind that takes least time: its waves of tiles over the multiprocessors, each as long as the tile is large. Per
/// product a square tile moves a third more bytes into shared memory than the larger ones, a narrow one two thirds
/// more: an eighth and a quarter longer (estimated).
constexpr HopperTileKind choose_hopper_tile(int64_t rows, int64_t columns, int multiprocessors) {
  const auto cost = [&](HopperTileKind kind) {
    const int64_t waves = tiles_along(hopper_tiles(kind, rows, columns), multiprocessors);
    const int slowness = kind == HopperTileKind::narrow ? 10 : kind == HopperTileKind::square ? 9 : 8;
    return waves * hopper_rows(kind) * hopper_columns(kind) * slowness;
  };
  return *std::min_element(kHopperTileKinds.begin(), kHopperTileKinds.end(),
                           [&](HopperTileKind a, HopperTileKind b) { return cost(a) < cost(b); });
}

/// The same where the depth will be cut into parts that fill the device: the tile that computes least beside the
/// product, a larger one before a smaller.
constexpr HopperTileKind choose_hopper_part_tile(int64_t rows, int64_t columns) {
  return choose_hopper_tile(rows, columns, 1);
}

/// Parts of `steps` slices of depth, for `tiles` tiles on a large GPU of Hopper's: at least 16 slices each, and no
/// empty one.
struct HopperParts {
  int count, steps_each;
};
constexpr HopperParts hopper_parts(int64_t tiles, int64_t steps) {
  constexpr int64_t kMultiprocessors = 132, kLeastSteps = 16;
  const int64_t wanted = std::clamp<int64_t>(std::min(kMultiprocessors / tiles, steps / kLeastSteps), 1, 64);
  const int64_t each = (steps + wanted - 1) / wanted;
  return {static_cast<int>((steps + each - 1) / each), static_cast<int>(each)};
}

}  // namespace ascore::kernels
