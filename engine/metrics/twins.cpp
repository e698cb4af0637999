#include "engine/metrics/twins.hpp"

#include "engine/metrics/rows.hpp"
#include "kernels/core/error.hpp"

#include <cstddef>
#include <limits>

#include <fmt/format.h>

namespace ascore {

namespace {

double squared_distance(std::span<const double> x, std::span<const double> y) {
  double sum = 0;
  for (size_t d = 0; d < x.size(); ++d) sum += (x[d] - y[d]) * (x[d] - y[d]);
  return sum;
}

size_t nearest(std::span<const double> row, std::span<const double> rows) {
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i * row.size() < rows.size(); ++i) {
    const double distance = squared_distance(row, rows.subspan(i * row.size(), row.size()));
    if (distance < least) best = i, least = distance;
  }
  return best;
}

}  // namespace

double twin_share(std::span<const double> a, std::span<const double> b, int64_t dimensions) {
  const int64_t count = count_rows("twins", a, dimensions, 1), others = count_rows("twins", b, dimensions, 1);
  if (count != others)
    throw DataError(fmt::format("twins: {} rows and {}; both sets need equally many", count, others));
  const auto width = static_cast<size_t>(dimensions), rows = static_cast<size_t>(count);
  size_t twins = 0;
  for (size_t i = 0; i < rows; ++i) twins += nearest(a.subspan(i * width, width), b) == i;
  return static_cast<double>(twins) / static_cast<double>(rows);
}

}  // namespace ascore
