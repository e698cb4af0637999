#include "kernels/gemm/tiles.hpp"

#include "kernels/gemm/divisor.hpp"
#include "tests/support/catch.hpp"

#include <limits>
#include <random>

using namespace ascore::kernels;

TEST_CASE("every tile is whole warps of whole fragments and fits into the shared memory of every device") {
  for (TileKind kind : kTileKinds) {
    const TileSize size = tile_size(kind);
    CAPTURE(static_cast<int>(kind), size.rows, size.columns);
    CHECK(size.rows % size.warp_rows == 0);
    CHECK(size.columns % size.warp_columns == 0);
    CHECK(size.warp_rows % 16 == 0);
    CHECK(size.warp_columns % 16 == 0);
    CHECK(size.threads() <= 1024);
    CHECK(size.stages >= 2);
    CHECK(size.shared_bytes() <= kSharedBytesSm80);
    // Two blocks share a multiprocessor: each of them reserves 1 KiB beside what it asks for.
    CHECK(2 * (size.shared_bytes() + 1024) <= kSharedBytesSm90);
  }
}

TEST_CASE("every product has a tile, and its parts cover the depth once") {
  const std::vector<int64_t> sizes{0, 1, 3, 15, 16, 17, 64, 65, 128, 129, 1000, 4224, 131072};
  for (int64_t rows : sizes) {
    for (int64_t columns : sizes) {
      for (bool parts_fill : {false, true}) {
        const TileKind kind = choose_tile(rows, columns, parts_fill);
        const TileSize size = tile_size(kind);
        CAPTURE(rows, columns, parts_fill);
        CHECK(std::find(kTileKinds.begin(), kTileKinds.end(), kind) != kTileKinds.end());
        CHECK(tile_count(kind, rows, columns) * size.rows * size.columns >= rows * columns);
        // Grid dimensions y and z end at 65535.
        CHECK(tiles_along(columns, size.columns) <= 65535);
      }
      for (int64_t depth : sizes) {
        const int parts = product_parts(rows, columns, depth);
        const int64_t per_part = depth_per_part(depth, parts);
        CAPTURE(rows, columns, depth, parts);
        CHECK((parts >= 1 && parts <= 256));
        CHECK(per_part * parts >= depth);
        CHECK(per_part % 32 == 0);
        CHECK(gradient_workspace(rows, columns, depth) >= (parts > 1 ? parts * rows * columns : 0));
      }
    }
  }
}

TEST_CASE("the tile follows from the shape") {
  CHECK(choose_tile(131072, 128) == TileKind::large);   // 32x32, 128 channels, batch 128
  CHECK(choose_tile(2048, 256) == TileKind::medium);    // 4x4, 256 channels: too few large tiles for a GPU
  CHECK(choose_tile(131072, 3) == TileKind::narrow);    // the last convolution
  CHECK(choose_tile(3, 1152, true) == TileKind::flat);  // its weight gradient
  CHECK(choose_tile(256, 2304, true) == TileKind::large);
  CHECK(product_parts(256, 2304, 32768) == 7);
  // What the convolution's tests count on.
  CHECK(choose_tile(64 * 66, 136) == TileKind::large);
  CHECK(choose_tile(130, 9 * 16, true) == TileKind::large);
  CHECK(product_parts(4, 3, 2 * 24 * 25) > 1);
}

TEST_CASE("Divisor divides") {
  std::mt19937 random(1);
  constexpr int kLargest = std::numeric_limits<int>::max();
  std::vector<int> divisors{1, 2, 3, 5, 7, 9, 31, 32, 33, 641, 65535, 65536, 65537, (1 << 30) - 1, 1 << 30, kLargest};
  for (int i = 0; i < 50; ++i) divisors.push_back(1 + static_cast<int>(random() >> (1 + i % 31)));
  for (int d : divisors) {
    const Divisor by(d);
    const auto check = [&](int64_t n) {
      if (n < 0 || n > kLargest) return;
      const int quotient = by.quotient(static_cast<int>(n));
      if (quotient != n / d || by.remainder(static_cast<int>(n), quotient) != n % d) FAIL(n << " / " << d);
    };
    for (int64_t n : {int64_t(0), int64_t(1), int64_t(d) - 1, int64_t(d), int64_t(d) + 1, int64_t(kLargest)}) check(n);
    for (int i = 0; i < 1000; ++i) {
      const int n = static_cast<int>(random() >> (1 + i % 31));
      check(n);
      check(int64_t(n) / d * d);  // multiples, and the numbers before them
      check(int64_t(n) / d * d - 1);
    }
    CHECK(by.quotient(kLargest) == kLargest / d);
  }
}
