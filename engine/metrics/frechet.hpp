#pragma once

#include <cstdint>
#include <span>

namespace ascore {

/// Frechet distance (squared 2-Wasserstein distance) between Gaussians fitted to two sets of vectors:
///
///   |m_a - m_b|^2 + tr(C_a + C_b - 2 (C_a^(1/2) C_b C_a^(1/2))^(1/2)),     C unbiased
///
/// with symmetric matrix square roots. `a` and `b` hold rows of `dimensions` values. On pixels this is the yardstick
/// for small images; on Inception features it is the FID. Throws DataError if a set has fewer than two rows or is not
/// whole.
double frechet_distance(std::span<const double> a, std::span<const double> b, int64_t dimensions);

}  // namespace ascore
