#pragma once

#include <span>
#include <vector>

namespace ascore {

/// Standard deviation of the noise in the sample if the score is exact and the data a point (figure 1 of
/// arXiv:2009.05475): before the first step and after every step. Annealed Langevin sampling starts at sigma_1;
///
///   v <- sqrt(v^2 (1 - eta)^2 + 2 eta sigma^2),   n_sigma times per level:  1 + L n_sigma values.
std::vector<double> annealed_langevin_spread(std::span<const double> sigmas, double eta, int n_sigma);

/// The same for consistent sampling:
///
///   v <- sqrt((v - eta sigma)^2 + (beta sigma')^2),   beta^2 = 1 - ((1 - eta) / gamma)^2,   1 + L values:
///
/// the levels' own progression, carried one step beyond the last by the last ratio gamma = sigma' / sigma.
std::vector<double> consistent_spread(std::span<const double> sigmas, double eta);

}  // namespace ascore
