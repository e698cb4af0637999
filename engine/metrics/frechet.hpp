#pragma once

#include "engine/metrics/feature_statistics.hpp"

namespace ascore {

/// Frechet distance (squared 2-Wasserstein distance) between the Gaussians of two sets of features:
///
///   |m_a - m_b|^2 + tr C_a + tr C_b - 2 tr (C_a^(1/2) C_b C_a^(1/2))^(1/2)
///
/// by symmetric square roots: the last trace is the sum of the singular values of C_a^(1/2) C_b^(1/2), which squares
/// nothing and so stays exact for covariances without full rank. On pixels this is the yardstick for small images; on
/// Inception features it is the FID. O(D^3). Throws DataError unless both have the same dimensions.
double frechet_distance(const FeatureStatistics& a, const FeatureStatistics& b);

}  // namespace ascore
