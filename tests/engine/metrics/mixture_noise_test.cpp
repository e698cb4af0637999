// The noise that is found in points is the noise that was put there.
#include "engine/metrics/mixture_noise.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <cmath>
#include <limits>

using namespace ascore;

namespace {

/// Points of the mixture with noise of standard deviation v, `each` of every mode.
std::vector<double> noisy_points(const Mixture& mixture, size_t each, double v) {
  const std::vector<double> z = test::normals(mixture.centres.size() * each * 2, 3);
  std::vector<double> points;
  for (const auto& [x, y] : mixture.centres) {
    for (size_t i = 0; i < each; ++i) {
      points.push_back(x + std::hypot(mixture.spread, v) * z[points.size()]);
      points.push_back(y + std::hypot(mixture.spread, v) * z[points.size()]);
    }
  }
  return points;
}

}  // namespace

TEST_CASE("the likeliest noise is the true one, where modes are apart, where they melt together, and beyond",
          "[metrics]") {
  for (const char* data : {"gaussians8", "gaussians25"}) {
    const Mixture mixture = *mixture_of(data);
    for (const double v : {0.05, 0.2, 0.6, 1.5, 4.0}) {
      INFO(data << ", noise " << v);
      const size_t each = 4000 / mixture.centres.size();
      const double found = likeliest_noise(noisy_points(mixture, each, v), mixture);
      // four standard errors of a variance of N = 4,000 points in two dimensions; melted modes tell less of it
      const double error = (v * v + mixture.spread * mixture.spread) / (2 * v * std::sqrt(4000.0));
      CHECK(std::abs(found - v) < 4 * error + 0.02 * v);
    }
  }
}

TEST_CASE("points without noise, or that are none, are told from others", "[metrics]") {
  Mixture mixture{.centres = {{0, 0}, {3, 4}}, .spread = 0.5};
  CHECK(likeliest_noise(noisy_points(mixture, 1000, 0), mixture) < 0.15);  // four standard errors of the variance
  const std::vector<double> narrower{0.1, 0, 3, 4.1};                      // than the mixture itself: no noise
  CHECK(likeliest_noise(narrower, mixture) == Approx(0).margin(0.01));
  mixture.spread = 0;
  CHECK(likeliest_noise(std::vector<double>{3, 4.2}, mixture) == Approx(0.2 / std::sqrt(2)).epsilon(1e-3));
  CHECK(std::isnan(likeliest_noise(std::vector<double>{}, mixture)));
  CHECK(std::isnan(likeliest_noise(std::vector<double>{1, std::numeric_limits<double>::quiet_NaN()}, mixture)));
}
