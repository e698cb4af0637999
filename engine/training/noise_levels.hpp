#pragma once

#include "engine/training/config.hpp"

#include <cstdint>
#include <vector>

namespace ascore {

/// `count` levels from `begin` down to `end`, both exact: of constant ratio (geometric) or constant difference. One
/// level is `begin` alone. Throws ConfigError unless begin > end > 0 (geometric or linear alike) and count >= 1.
std::vector<double> noise_levels(double begin, double end, int count, Spacing spacing);
std::vector<double> noise_levels(const NoiseConfig& config);

/// Technique 2 of Song & Ermon 2020 (arXiv:2006.09011; for Technique 1 see engine/data/statistics.hpp), as the original
/// implementation computes it.
struct LevelRule {
  double ratio;   ///< sigma_{i+1} / sigma_i: the point of {0, 1e-6, ..., 1} that comes closest to the wanted overlap
  double levels;  ///< ln(sigma_end / sigma_begin) / ln(ratio), not rounded
};
/// Ratio of neighbouring levels, in `dims` dimensions, for which the probability mass that they share,
/// Phi(sqrt(2D)(r-1) + 3r) - Phi(sqrt(2D)(r-1) - 3r), is nearest to `overlap` (0.5; in (0,1)). Throws ConfigError.
LevelRule level_rule(double overlap, int64_t dims, double sigma_begin, double sigma_end);

}  // namespace ascore
