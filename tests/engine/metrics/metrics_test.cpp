#include "engine/metrics/energy.hpp"
#include "engine/metrics/frechet.hpp"
#include "engine/metrics/modes.hpp"
#include "engine/metrics/sliced_wasserstein.hpp"
#include "engine/metrics/twins.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {
double distance(const std::vector<double>& a, const std::vector<double>& b, int64_t dimensions) {
  return frechet_distance(feature_statistics(a, dimensions), feature_statistics(b, dimensions));
}
}  // namespace

TEST_CASE("the Frechet distance of sets with known moments is the closed form") {
  // Four corners: mean 0, covariance diag(4/3, 4/3). Scaled by 3 along x and shifted: covariance diag(12, 4/3).
  const std::vector<double> a{-1, -1, -1, 1, 1, -1, 1, 1}, b{2, -1, 2, 1, 8, -1, 8, 1};
  const double roots = std::sqrt(12.0) - std::sqrt(4.0 / 3.0);
  CHECK(distance(a, b, 2) == Approx(25 + roots * roots));
  CHECK(distance(b, a, 2) == Approx(distance(a, b, 2)));
  CHECK(distance(a, a, 2) == Approx(0).margin(1e-12));
}

TEST_CASE("the Frechet distance of correlated sets needs the matrix root, not roots of elements") {
  // A = R diag(9, 1) R^T with R a rotation by 30 degrees, B = diag(9, 1): tr(A + B) - 2 tr((A^(1/2) B A^(1/2))^(1/2)),
  // where for 2x2 matrices tr(M^(1/2)) = sqrt(tr M + 2 sqrt(det M)), and tr M = tr(AB), det M = det A det B.
  const double c = std::cos(0.5235987755982988), s = std::sin(0.5235987755982988);
  const std::vector<double> unit{-1, -1, -1, 1, 1, -1, 1, 1};
  std::vector<double> a, b;
  for (size_t i = 0; i < 8; i += 2) {
    const double x = 3 * std::sqrt(0.75) * unit[i], y = std::sqrt(0.75) * unit[i + 1];
    b.insert(b.end(), {x, y});
    a.insert(a.end(), {c * x - s * y, s * x + c * y});
  }
  const double a11 = 9 * c * c + s * s, a22 = 9 * s * s + c * c;
  const double expected = 20 - 2 * std::sqrt(a11 * 9 + a22 * 1 + 2 * 9.0);
  CHECK(distance(a, b, 2) == Approx(expected));
}

TEST_CASE("mode coverage counts hit modes and points within 3 sd") {
  const Mixture mixture = mixture_of("gaussians25").value();
  REQUIRE(mixture.centres.size() == 25);
  CHECK(mixture.spread == Approx(0.05 / 2.828));
  std::vector<double> points;
  for (const auto& centre : mixture.centres) points.insert(points.end(), centre.begin(), centre.end());
  CHECK(mode_coverage(points, mixture).modes == 25);
  CHECK(mode_coverage(points, mixture).within_3sd == 1.0);
  points.insert(points.end(), {5.0, 5.0, std::nan(""), 0.0});
  for (size_t i = 0; i < 50; i += 2) points[i] = points[0];  // all in the first column of modes
  const ModeCoverage coverage = mode_coverage(points, mixture);
  CHECK(coverage.modes == 5);
  CHECK(coverage.within_3sd == Approx(25.0 / 27.0));
}

TEST_CASE("the energy distance is zero between equal distributions and grows with a shift") {
  const std::vector<double> x = test::normals(2000, 1), y = test::normals(2000, 2);
  CHECK(std::abs(energy_distance(x, y, 2)) < 0.01);
  std::vector<double> shifted = y;
  for (double& value : shifted) value += 1;
  CHECK(energy_distance(x, shifted, 2) > 0.3);
  CHECK(energy_distance(std::vector<double>{0, 2}, std::vector<double>{0, 2}, 1) == Approx(2 * 1.0 - 2 - 2));
}

TEST_CASE("metrics refuse sets that are no rows") {
  const std::vector<double> one{1, 2}, odd{1, 2, 3};
  CHECK_THROWS_AS(feature_statistics(odd, 2), DataError);
  CHECK_THROWS_AS(feature_statistics(one, 2), DataError);
  CHECK_THROWS_AS(feature_statistics(std::vector<double>{1, 2, 3, std::nan("")}, 2), DataError);
  CHECK_THROWS_AS(sliced_wasserstein(odd, one), DataError);
  CHECK_THROWS_AS(energy_distance(odd, one, 2), DataError);
}

TEST_CASE("twins are rows nearest to the row of their own index", "[engine][metrics]") {
  const std::vector<double> a{0, 0, 1, 0, 5, 5, -3, 2};
  std::vector<double> near = a;
  for (double& value : near) value += 0.1;
  CHECK(twin_share(a, a, 2) == 1);
  CHECK(twin_share(a, near, 2) == 1);
  const std::vector<double> two_swapped{1, 0, 0, 0, 5, 5, -3, 2};
  CHECK(twin_share(a, two_swapped, 2) == 0.5);
  CHECK(twin_share(a, std::vector<double>(8, 0.0), 2) == 0.25);  // all equally near: the first row's own only
  CHECK_THROWS_AS(twin_share(a, std::vector<double>{0, 0}, 2), DataError);
  CHECK_THROWS_AS(twin_share(a, a, 3), DataError);
  CHECK_THROWS_AS(twin_share({}, {}, 2), DataError);
}

TEST_CASE("the sliced Wasserstein distance of a shift is the shift over sqrt 2, and does not mind the sets' sizes") {
  const std::vector<double> x = test::normals(400, 3);
  CHECK(sliced_wasserstein(x, x) == 0);
  std::vector<double> shifted = x, twice = x;
  for (size_t i = 0; i < shifted.size(); i += 2) shifted[i] += 3;
  twice.insert(twice.end(), x.begin(), x.end());
  CHECK(sliced_wasserstein(x, shifted) == Approx(3 / std::sqrt(2.0)));  // the mean of cos^2 over directions is a half
  CHECK(sliced_wasserstein(x, twice) == Approx(0).margin(1e-9));
  // quantiles of sets of 2 and 3: pieces of 1/3, 1/6, 1/6, 1/3
  const std::vector<double> two{0, 0, 6, 0}, three{0, 0, 3, 0, 6, 0};
  CHECK(sliced_wasserstein(two, three) == Approx(std::sqrt((9.0 / 6 + 9.0 / 6) / 2)));
}
