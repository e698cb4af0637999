#pragma once

#include <span>

namespace ascore {

/// Sliced 2-Wasserstein distance of two sets of points of the plane (x0, y0, x1, y1, ...): the root of the mean, over
/// `directions` evenly spaced ones, of the squared Wasserstein distance of the sets' projections. No randomness. The
/// sets may differ in size. Throws DataError for an empty set or half a point.
double sliced_wasserstein(std::span<const double> a, std::span<const double> b, int directions = 128);

}  // namespace ascore
