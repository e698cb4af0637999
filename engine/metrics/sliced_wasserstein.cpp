#include "engine/metrics/sliced_wasserstein.hpp"

#include "engine/metrics/rows.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace ascore {

namespace {

std::vector<double> sorted_projection(std::span<const double> points, double angle) {
  std::vector<double> result;
  for (size_t i = 0; i < points.size(); i += 2) {
    result.push_back(std::cos(angle) * points[i] + std::sin(angle) * points[i + 1]);
  }
  std::ranges::sort(result);
  return result;
}

/// The integral of the squared difference of the quantile functions, which are steps of 1/n and 1/m.
double squared_wasserstein(const std::vector<double>& a, const std::vector<double>& b) {
  const double n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  double sum = 0, done = 0;
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const double end_of_a = static_cast<double>(i + 1) / n, end_of_b = static_cast<double>(j + 1) / m;
    const double end = std::min(end_of_a, end_of_b);
    sum += (end - done) * (a[i] - b[j]) * (a[i] - b[j]);
    done = end;
    if (end_of_a <= end) ++i;
    if (end_of_b <= end) ++j;
  }
  return sum;
}

}  // namespace

double sliced_wasserstein(std::span<const double> a, std::span<const double> b, int directions) {
  count_rows("sliced Wasserstein distance", a, 2, 1);
  count_rows("sliced Wasserstein distance", b, 2, 1);
  double sum = 0;
  for (int k = 0; k < directions; ++k) {
    const double angle = std::numbers::pi * (k + 0.5) / directions;
    sum += squared_wasserstein(sorted_projection(a, angle), sorted_projection(b, angle));
  }
  return std::sqrt(sum / directions);
}

}  // namespace ascore
