#include "engine/metrics/modes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace ascore {

ModeCoverage mode_coverage(std::span<const double> points, const Mixture& mixture) {
  const size_t modes = mixture.centres.size(), count = points.size() / 2;
  std::vector<bool> hit(modes, false);
  size_t within = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t nearest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t k = 0; k < modes; ++k) {
      const double distance =
          std::hypot(points[2 * i] - mixture.centres[k][0], points[2 * i + 1] - mixture.centres[k][1]);
      if (distance < least) least = distance, nearest = k;
    }
    if (least > 3 * mixture.spread) continue;
    ++within;
    hit[nearest] = true;
  }
  ModeCoverage coverage;
  coverage.modes = static_cast<int>(std::count(hit.begin(), hit.end(), true));
  coverage.of = static_cast<int>(modes);
  coverage.within_3sd = count ? static_cast<double>(within) / static_cast<double>(count) : 0.0;
  return coverage;
}

}  // namespace ascore
