#include "engine/metrics/manifold.hpp"

#include "engine/metrics/pairwise.hpp"
#include "engine/metrics/rows.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <limits>
#include <vector>

#include <fmt/format.h>

namespace ascore {

namespace {

/// Squared distance of every row to the k-th nearest other row of its set.
std::vector<double> squared_radii(std::span<const double> set, int64_t dimensions, int k) {
  const auto rows = static_cast<size_t>(static_cast<int64_t>(set.size()) / dimensions);
  std::vector<double> radii(rows), others(rows);
  for_each_distance_block(set, set, dimensions, [&](int64_t first, std::span<const double> distances) {
    for (size_t i = 0; i * rows < distances.size(); ++i) {
      std::ranges::copy(distances.subspan(i * rows, rows), others.begin());
      const size_t self = static_cast<size_t>(first) + i;
      others[self] = std::numeric_limits<double>::infinity();
      std::nth_element(others.begin(), others.begin() + (k - 1), others.end());
      radii[self] = others[static_cast<size_t>(k - 1)];
    }
  });
  return radii;
}

}  // namespace

ManifoldOverlap manifold_overlap(std::span<const double> real, std::span<const double> samples, int64_t dimensions,
                                 int k) {
  if (k < 1) throw ConfigError(fmt::format("precision and recall: k = {} neighbours", k));
  const auto real_rows = static_cast<size_t>(count_rows("precision and recall", real, dimensions, k + 1));
  const auto sample_rows = static_cast<size_t>(count_rows("precision and recall", samples, dimensions, k + 1));
  const std::vector<double> real_radii = squared_radii(real, dimensions, k);
  const std::vector<double> sample_radii = squared_radii(samples, dimensions, k);

  std::vector<char> reached(real_rows, 0), covered(real_rows, 0);
  int64_t inside = 0, balls = 0;
  for_each_distance_block(samples, real, dimensions, [&](int64_t first, std::span<const double> distances) {
    for (size_t j = 0; j * real_rows < distances.size(); ++j) {
      int64_t around = 0;  // real balls that this sample lies in
      for (size_t i = 0; i < real_rows; ++i) {
        const double distance = distances[j * real_rows + i];
        if (distance < sample_radii[static_cast<size_t>(first) + j]) reached[i] = 1;
        if (distance < real_radii[i]) ++around, covered[i] = 1;
      }
      inside += around > 0;
      balls += around;
    }
  });
  const auto share = [](int64_t part, size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); };
  return {.precision = share(inside, sample_rows),
          .recall = share(std::ranges::count(reached, 1), real_rows),
          .density = share(balls, sample_rows) / k,
          .coverage = share(std::ranges::count(covered, 1), real_rows)};
}

}  // namespace ascore
