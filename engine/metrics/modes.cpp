#include "engine/metrics/modes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace ascore {

Mixture mixture_of(std::string_view data_name) {
  Mixture mixture;
  if (data_name == "gaussians8") {
    constexpr double kScale = 1.414;
    for (int k = 0; k < 8; ++k) {
      const double angle = 2 * std::numbers::pi * k / 8;
      mixture.centres.insert(mixture.centres.end(), {2 * std::cos(angle) / kScale, 2 * std::sin(angle) / kScale});
    }
    mixture.sd = 0.02 / kScale;
  } else if (data_name == "gaussians25") {
    constexpr double kScale = 2.828;
    for (int i = -2; i <= 2; ++i) {
      for (int j = -2; j <= 2; ++j) mixture.centres.insert(mixture.centres.end(), {2 * i / kScale, 2 * j / kScale});
    }
    mixture.sd = 0.05 / kScale;
  }
  return mixture;
}

ModeCoverage mode_coverage(std::span<const double> points, const Mixture& mixture) {
  const size_t modes = mixture.centres.size() / 2, count = points.size() / 2;
  std::vector<bool> hit(modes, false);
  size_t within = 0;
  for (size_t i = 0; i < count; ++i) {
    size_t nearest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t k = 0; k < modes; ++k) {
      const double distance =
          std::hypot(points[2 * i] - mixture.centres[2 * k], points[2 * i + 1] - mixture.centres[2 * k + 1]);
      if (distance < least) least = distance, nearest = k;
    }
    if (least > 3 * mixture.sd) continue;
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
