#pragma once

#include <algorithm>
#include <cstdint>

/// Sums over many pixels or rows (weight and bias gradients) are cut into parts that different blocks compute; the
/// parts are then added in their order. How many there are is a function of the sizes alone, so that results repeat.
namespace ascore::kernels {

/// Parts of the depth of a [rows, columns] product: enough blocks of 64 x 64 to fill a large GPU, at least 256 deep.
inline int product_parts(int64_t rows, int64_t columns, int64_t depth) {
  const int64_t tiles = ((rows + 63) / 64) * ((columns + 63) / 64);
  return static_cast<int>(std::clamp<int64_t>(std::min(512 / tiles, depth / 256), 1, 256));
}

/// Parts of the rows of a column sum.
inline int column_sum_parts(int64_t rows) {
  return static_cast<int>(std::clamp<int64_t>(rows / 512, 1, 64));
}

/// f32 elements of workspace that the sums of `rows` columns over `depth` (a bias gradient) need.
inline int64_t column_sum_workspace(int64_t rows, int64_t depth) {
  return column_sum_parts(depth) * rows;
}

/// The same for a [rows, columns] weight gradient over `depth` and then the bias gradient in the same memory.
inline int64_t gradient_workspace(int64_t rows, int64_t columns, int64_t depth) {
  const int64_t parts = product_parts(rows, columns, depth);
  return std::max(parts > 1 ? parts * rows * columns : 0, column_sum_workspace(rows, depth));
}

}  // namespace ascore::kernels
