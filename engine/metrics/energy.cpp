#include "engine/metrics/energy.hpp"

#include "kernels/core/error.hpp"

#include <cmath>

#include <fmt/format.h>

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
  for (const auto& set : {x, y}) {
    if (dimensions <= 0 || set.size() % width != 0 || set.size() < 2 * width) {
      throw DataError(
          fmt::format("energy distance: {} values are no set of at least two rows of {}", set.size(), dimensions));
    }
  }
  const double nx = static_cast<double>(x.size() / width), ny = static_cast<double>(y.size() / width);
  return 2 * sum_of_distances(x, y, width) / (nx * ny) - sum_of_distances(x, x, width) / (nx * (nx - 1)) -
         sum_of_distances(y, y, width) / (ny * (ny - 1));
}

}  // namespace ascore
