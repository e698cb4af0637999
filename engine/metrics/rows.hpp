#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace ascore {

/// The number of rows that `values` hold, each of `dimensions` values. Throws DataError, in the name of the metric
/// `what`, unless they are whole and at least `least`.
int64_t count_rows(std::string_view what, std::span<const double> values, int64_t dimensions, int64_t least);

}  // namespace ascore
