#pragma once

#include <cstdint>
#include <span>

namespace ascore {

/// How far two networks draw the same samples from one seed: the share of the rows of `a` whose nearest row of `b`
/// (Euclidean) is the one of the same index. 1 for equal sets, about 1/N for unrelated ones; equally near rows go to
/// the lower index. Sets of N rows of `dimensions` values. Throws DataError unless both hold the same number of rows,
/// at least one.
double twin_share(std::span<const double> a, std::span<const double> b, int64_t dimensions);

}  // namespace ascore
