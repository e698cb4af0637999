#include "engine/training/noise_levels.hpp"

#include "kernels/core/error.hpp"

#include <cmath>
#include <numbers>

#include <fmt/format.h>

namespace ascore {

std::vector<double> noise_levels(double begin, double end, int count, Spacing spacing) {
  if (!(std::isfinite(begin) && begin > end && end > 0) || count < 1) {
    throw ConfigError(fmt::format(
        "{} noise levels from {} to {}: need at least one, from above to below, both positive", count, begin, end));
  }
  std::vector<double> levels(static_cast<size_t>(count), begin);
  for (int i = 1; i < count; ++i) {
    const double t = static_cast<double>(i) / (count - 1);
    levels[static_cast<size_t>(i)] = spacing == Spacing::linear
                                         ? begin + t * (end - begin)
                                         : std::exp(std::log(begin) + t * (std::log(end) - std::log(begin)));
  }
  if (count > 1) levels.back() = end;
  return levels;
}

std::vector<double> noise_levels(const NoiseConfig& config) {
  check(config);
  return noise_levels(config.sigma_begin, config.sigma_end, config.levels, config.spacing);
}

LevelRule level_rule(double overlap, int64_t dims, double sigma_begin, double sigma_end) {
  if (!(overlap > 0 && overlap < 1) || dims < 1 || !(sigma_begin > sigma_end && sigma_end > 0)) {
    throw ConfigError(
        fmt::format("number of noise levels for overlap {}, {} dimensions, {} to {}: need an overlap in "
                    "(0,1) and levels from above to below, both positive",
                    overlap, dims, sigma_begin, sigma_end));
  }
  const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
  const double width = std::sqrt(2.0 * static_cast<double>(dims));
  constexpr int kGrid = 1000000;
  double best = 0, least = INFINITY;
  for (int i = 0; i <= kGrid; ++i) {
    const double r = static_cast<double>(i) / kGrid;
    const double shared = phi(width * (r - 1) + 3 * r) - phi(width * (r - 1) - 3 * r);
    const double miss = (shared - overlap) * (shared - overlap);
    if (miss < least) {
      least = miss;
      best = r;
    }
  }
  return {best, std::log(sigma_end / sigma_begin) / std::log(best)};
}

}  // namespace ascore
