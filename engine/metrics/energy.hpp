#pragma once

#include <cstdint>
#include <span>

namespace ascore {

/// Energy distance (Szekely & Rizzo 2013), 2 E|X-Y| - E|X-X'| - E|Y-Y'| >= 0, zero for equal distributions (an unbiased
/// estimate may come out slightly negative). Sets of rows of `dimensions` values; all pairs, the ones of a row with
/// itself left out. Throws DataError for fewer than two rows.
double energy_distance(std::span<const double> x, std::span<const double> y, int64_t dimensions);

}  // namespace ascore
