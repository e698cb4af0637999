#include "engine/metrics/mixture_noise.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <vector>

namespace ascore {

namespace {

/// Log-likelihood of points under round Gaussians of variance `w` about the centres, but for constants: of each point
/// its squared distances to all centres are given, nearest first.
double log_likelihood(const std::vector<std::vector<double>>& distances, double w) {
  double sum = 0;
  for (const std::vector<double>& squares : distances) {
    double others = 0;  // relative to the nearest centre
    for (const double square : squares) others += std::exp((squares.front() - square) / (2 * w));
    sum += std::log(others) - squares.front() / (2 * w) - std::log(w);
  }
  return sum;
}

std::vector<std::vector<double>> squared_distances(std::span<const double> points, const Mixture& mixture) {
  std::vector<std::vector<double>> result;
  for (size_t i = 0; i + 1 < points.size(); i += 2) {
    std::vector<double>& squares = result.emplace_back();
    for (const auto& [x, y] : mixture.centres)
      squares.push_back(std::pow(points[i] - x, 2) + std::pow(points[i + 1] - y, 2));
    std::ranges::sort(squares);
  }
  return result;
}

/// Where `f` is greatest between two places around one of its peaks.
template <class F>
double peak(double low, double high, F f) {
  constexpr double kShare = 1 / std::numbers::phi, kClose = 1e-4;
  double a = high - kShare * (high - low), b = low + kShare * (high - low), at_a = f(a), at_b = f(b);
  while (high - low > kClose) {
    if (at_a < at_b) {
      low = a;
      a = b;
      at_a = at_b;
      at_b = f(b = low + kShare * (high - low));
    } else {
      high = b;
      b = a;
      at_b = at_a;
      at_a = f(a = high - kShare * (high - low));
    }
  }
  return (low + high) / 2;
}

}  // namespace

double likeliest_noise(std::span<const double> points, const Mixture& mixture) {
  const bool finite = std::ranges::all_of(points, [](double x) { return std::isfinite(x); });
  if (!finite || points.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::vector<double>> distances = squared_distances(points, mixture);
  double farthest = 0;
  for (const auto& squares : distances) farthest = std::max(farthest, squares.back());
  if (farthest == 0) return 0;
  // The total variance lies between the mixture's own and the farthest point's; on this grid the likelihood's highest
  // peak is found, between neighbours its top.
  const double own = mixture.spread * mixture.spread;
  const double low = std::log(std::max(own, 1e-12 * farthest)), high = std::log(std::max(2 * own, farthest));
  constexpr int kSteps = 48;
  const double step = (high - low) / kSteps;
  const auto at = [&](double logarithm) { return log_likelihood(distances, std::exp(logarithm)); };
  int best = 0;
  double most = at(low);
  for (int i = 1; i <= kSteps; ++i) {
    const double value = at(low + i * step);
    if (value <= most) continue;
    most = value;
    best = i;
  }
  const double w = std::exp(peak(low + std::max(0, best - 1) * step, low + std::min(kSteps, best + 1) * step, at));
  return std::sqrt(std::max(0.0, w - own));
}

}  // namespace ascore
