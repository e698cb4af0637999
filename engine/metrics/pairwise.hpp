#pragma once

#include <cstdint>
#include <functional>
#include <span>

namespace ascore {

/// Squared Euclidean distances between all rows of `a` and all of `b` (`dimensions` values each), block of rows by
/// block of rows: `visit(first, distances)` gets those of the rows first, first + 1, ... of a, [rows, rows of b].
void for_each_distance_block(std::span<const double> a, std::span<const double> b, int64_t dimensions,
                             const std::function<void(int64_t first, std::span<const double> distances)>& visit);

}  // namespace ascore
