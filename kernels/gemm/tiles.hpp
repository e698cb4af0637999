#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

/// How products C [rows, columns] are cut into tiles, one per block, and their depth into parts: pure functions of the
/// sizes, the same on every device, so that results repeat.
///
/// Every element of C is summed in the order of its depth, 16 (bf16) or 8 (tf32) at a time, whatever the tile: which
/// tile is chosen changes the speed of a product, never its bits.
namespace ascore::kernels {

/// The tiles that kernels are compiled for.
enum class TileKind : uint8_t { large, medium, narrow, flat };
inline constexpr std::array kTileKinds{TileKind::large, TileKind::medium, TileKind::narrow, TileKind::flat};

/// A block's tile of C, what each of its warps computes, and how many slices of the operands are in shared memory at a
/// time. A slice is 64 bytes of depth: 32 bf16 or 16 f32.
struct TileSize {
  int rows, columns, warp_rows, warp_columns, stages;

  constexpr int warps() const { return rows / warp_rows * (columns / warp_columns); }
  constexpr int threads() const { return 32 * warps(); }
  constexpr int stage_bytes() const { return (rows + columns) * kSliceBytes; }
  constexpr int shared_bytes() const { return stages * stage_bytes(); }
  static constexpr int kSliceBytes = 64;
};

constexpr TileSize tile_size(TileKind kind) {
  switch (kind) {
    case TileKind::large:
      // 64 flops per byte (bf16) into shared memory, 64 accumulators per thread, 2 blocks per SM up to 128 registers.
      return {128, 128, 64, 32, 4};
    case TileKind::medium:
      // Four times as many blocks, for products that would leave most of a GPU idle with large ones.
      return {64, 64, 32, 32, 4};
    case TileKind::narrow:
      // Few columns: a network's last convolution. Bound by reading the rows.
      return {64, 16, 32, 16, 4};
    case TileKind::flat:
      // Few rows: the weight gradient of that convolution, and small batches of linear layers.
      return {16, 64, 16, 32, 4};
  }
  return {};
}

/// Dynamic shared memory that a block may ask for: 99 KiB on the smallest device of the sm_80 family (sm_86, sm_89),
/// 227 KiB on sm_90.
inline constexpr int kSharedBytesSm80 = 99 * 1024, kSharedBytesSm90 = 227 * 1024;

constexpr int64_t tiles_along(int64_t size, int tile) {
  return (size + tile - 1) / tile;
}
constexpr int64_t tile_count(TileKind kind, int64_t rows, int64_t columns) {
  return tiles_along(rows, tile_size(kind).rows) * tiles_along(columns, tile_size(kind).columns);
}

/// Blocks that keep a large GPU busy: two for each of 132 multiprocessors.
inline constexpr int64_t kFullGrid = 264;

/// The tile for C [rows, columns]. `parts_fill`: the depth will be cut into parts, so that few tiles are enough.
constexpr TileKind choose_tile(int64_t rows, int64_t columns, bool parts_fill = false) {
  if (columns <= 16) return TileKind::narrow;
  if (rows <= 16) return TileKind::flat;
  if (rows <= 64 || columns <= 64) return TileKind::medium;
  // One large tile per two multiprocessors does as much per cycle as four medium ones on one and a half of them.
  const bool busy = parts_fill || tile_count(TileKind::large, rows, columns) >= kFullGrid / 4;
  return busy ? TileKind::large : TileKind::medium;
}

/// Parts that the depth of a [rows, columns] product is cut into: enough blocks for a large GPU, each at least 256
/// deep.
constexpr int product_parts(int64_t rows, int64_t columns, int64_t depth) {
  const int64_t tiles = std::max<int64_t>(tile_count(choose_tile(rows, columns, true), rows, columns), 1);
  return static_cast<int>(std::clamp<int64_t>(std::min(kFullGrid / tiles, depth / 256), 1, 256));
}

/// Depth of one of `parts` parts: whole slices of either type.
constexpr int depth_per_part(int64_t depth, int parts) {
  constexpr int64_t kSlice = 32;
  return static_cast<int>((tiles_along(depth, kSlice) + parts - 1) / parts * kSlice);
}

/// Parts of the rows of a column sum.
constexpr int column_sum_parts(int64_t rows) {
  return static_cast<int>(std::clamp<int64_t>(rows / 512, 1, 64));
}

/// f32 elements of workspace that the sums of `rows` columns over `depth` (a bias gradient) need.
constexpr int64_t column_sum_workspace(int64_t rows, int64_t depth) {
  return column_sum_parts(depth) * rows;
}

/// The same for a [rows, columns] weight gradient over `depth` and then the bias gradient in the same memory.
constexpr int64_t gradient_workspace(int64_t rows, int64_t columns, int64_t depth) {
  const int64_t parts = product_parts(rows, columns, depth);
  return std::max(parts > 1 ? parts * rows * columns : 0, column_sum_workspace(rows, depth));
}

}  // namespace ascore::kernels
