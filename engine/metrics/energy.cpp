#include "engine/metrics/energy.hpp"

#include "engine/metrics/rows.hpp"

#include <cmath>

namespace ascore {

namespace {

double sum_of_distances(std::span<const double> x, std::span<const double> y, size_t dimensions) {
  double sum = 0;
  for (size_t i = 0; i + dimensions <= x.size(); i += dimensions) {
    for (size_t j = 0; j + dimensions <= y.size(); j += dimensions) {
      double square = 0;
      for (size_t d = 0; d < dimensions; ++d) square += (x[i + d] - y[j + d]) * (x[i + d] - y[j + d]);
      sum += std::sqrt(square);
    }
  }
  return sum;
}

}  // namespace

double energy_distance(std::span<const double> x, std::span<const double> y, int64_t dimensions) {
  const auto width = static_cast<size_t>(dimensions);
  const auto nx = static_cast<double>(count_rows("energy distance", x, dimensions, 2));
  const auto ny = static_cast<double>(count_rows("energy distance", y, dimensions, 2));
  return 2 * sum_of_distances(x, y, width) / (nx * ny) - sum_of_distances(x, x, width) / (nx * (nx - 1)) -
         sum_of_distances(y, y, width) / (ny * (ny - 1));
}

}  // namespace ascore
