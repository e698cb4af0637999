#include "engine/metrics/manifold.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <cmath>

using namespace ascore;

namespace {

double distance(const std::vector<double>& a, size_t i, const std::vector<double>& b, size_t j, size_t width) {
  double sum = 0;
  for (size_t d = 0; d < width; ++d) sum += std::pow(a[i * width + d] - b[j * width + d], 2);
  return std::sqrt(sum);
}

std::vector<double> radii(const std::vector<double>& set, size_t width, size_t k) {
  std::vector<double> result;
  for (size_t i = 0; i < set.size() / width; ++i) {
    std::vector<double> others;
    for (size_t j = 0; j < set.size() / width; ++j) {
      if (j != i) others.push_back(distance(set, i, set, j, width));
    }
    std::ranges::sort(others);
    result.push_back(others[k - 1]);
  }
  return result;
}

/// The papers' definitions, pair by pair.
ManifoldOverlap plainly(const std::vector<double>& real, const std::vector<double>& samples, size_t width, size_t k) {
  const std::vector<double> around_real = radii(real, width, k), around_samples = radii(samples, width, k);
  const size_t n = around_real.size(), m = around_samples.size();
  double precise = 0, recalled = 0, dense = 0, covered = 0;
  for (size_t j = 0; j < m; ++j) {
    size_t balls = 0;
    for (size_t i = 0; i < n; ++i) balls += distance(real, i, samples, j, width) < around_real[i];
    precise += balls > 0;
    dense += static_cast<double>(balls);
  }
  for (size_t i = 0; i < n; ++i) {
    bool in_ball = false, has_sample = false;
    for (size_t j = 0; j < m; ++j) {
      in_ball = in_ball || distance(real, i, samples, j, width) < around_samples[j];
      has_sample = has_sample || distance(real, i, samples, j, width) < around_real[i];
    }
    recalled += in_ball;
    covered += has_sample;
  }
  const auto of_n = static_cast<double>(n), of_m = static_cast<double>(m);
  return {precise / of_m, recalled / of_n, dense / of_m / static_cast<double>(k), covered / of_n};
}

}  // namespace

TEST_CASE("precision, recall, density and coverage are what the papers define, for sets above one block of rows") {
  const int k = GENERATE(1, 3, 5);
  const std::vector<double> real = test::normals(3 * 150, 1);
  std::vector<double> samples = test::normals(3 * 131, 2);
  for (size_t i = 0; i < samples.size(); ++i) samples[i] = 0.6 * samples[i] + (i % 3 == 0 ? 0.8 : 0.0);
  const ManifoldOverlap got = manifold_overlap(real, samples, 3, k),
                        expected = plainly(real, samples, 3, static_cast<size_t>(k));
  CHECK(got.precision == Approx(expected.precision));
  CHECK(got.recall == Approx(expected.recall));
  CHECK(got.density == Approx(expected.density));
  CHECK(got.coverage == Approx(expected.coverage));
  CHECK(got.precision > got.recall);  // a narrower set: believable samples of part of the data
}

TEST_CASE("equal sets overlap wholly, distant ones not at all") {
  const std::vector<double> real = test::normals(2 * 60, 3);
  std::vector<double> far = real;
  for (double& value : far) value += 100;
  const ManifoldOverlap same = manifold_overlap(real, real, 2), apart = manifold_overlap(real, far, 2);
  CHECK(same.precision == 1);
  CHECK(same.recall == 1);
  CHECK(same.coverage == 1);
  CHECK(apart.precision + apart.recall + apart.density + apart.coverage == 0);
}

TEST_CASE("sets too small for their neighbours are refused") {
  const std::vector<double> five = test::normals(2 * 5, 4), six = test::normals(2 * 6, 5);
  CHECK_THROWS_AS(manifold_overlap(five, six, 2), DataError);
  CHECK_THROWS_AS(manifold_overlap(six, five, 2), DataError);
  CHECK_NOTHROW(manifold_overlap(six, six, 2));
  CHECK_THROWS_AS(manifold_overlap(six, six, 2, 0), ConfigError);
}
