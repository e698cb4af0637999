#include "engine/io/npz.hpp"
#include "engine/metrics/frechet.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cmath>

using namespace ascore;

namespace {

/// Two-pass sums, plainly.
FeatureStatistics plain_statistics(const std::vector<double>& rows, size_t width) {
  const size_t count = rows.size() / width;
  FeatureStatistics result{.count = static_cast<int64_t>(count),
                           .mean = std::vector<double>(width),
                           .covariance = std::vector<double>(width * width)};
  for (size_t i = 0; i < rows.size(); ++i) result.mean[i % width] += rows[i] / static_cast<double>(count);
  for (size_t n = 0; n < count; ++n) {
    for (size_t i = 0; i < width; ++i) {
      for (size_t j = 0; j < width; ++j) {
        result.covariance[i * width + j] += (rows[n * width + i] - result.mean[i]) *
                                            (rows[n * width + j] - result.mean[j]) / static_cast<double>(count - 1);
      }
    }
  }
  return result;
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double worst = 0;
  for (size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

}  // namespace

TEST_CASE("statistics of pieces are those of the whole, far from zero as near it") {
  std::vector<double> rows = test::normals(7 * 53, 5);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = 1e6 + rows[i] * static_cast<double>(1 + i % 7);
  FeatureSums sums(7);
  size_t begin = 0;
  for (const size_t piece : {1, 20, 0, 2, 30}) {
    sums.add(std::span(rows).subspan(begin * 7, piece * 7));
    begin += piece;
  }
  REQUIRE(begin == 53);
  const FeatureStatistics merged = sums.statistics(), plain = plain_statistics(rows, 7);
  CHECK(merged.count == 53);
  CHECK(largest_difference(merged.mean, plain.mean) < 1e-8);
  CHECK(largest_difference(merged.covariance, plain.covariance) < 1e-6);  // of entries up to 50, at 1e6 from zero
}

TEST_CASE("the Frechet distance of commuting covariances is the closed form, to 1e-6") {
  // One orthogonal basis (a Householder reflection) and two spectra over eight decades: |dm|^2 + sum (sqrt a - sqrt
  // b)^2
  constexpr size_t kSide = 24;
  const std::vector<double> direction = test::normals(kSide, 6);
  double square = 0;
  for (const double value : direction) square += value * value;
  const auto basis = [&](size_t i, size_t j) { return (i == j) - 2 * direction[i] * direction[j] / square; };
  FeatureStatistics a{.count = 0, .mean = std::vector<double>(kSide, 1.0), .covariance = {}}, b = a;
  b.mean[3] = 1.5;
  a.covariance.assign(kSide * kSide, 0);
  b.covariance = a.covariance;
  double expected = 0.25;
  for (size_t k = 0; k < kSide; ++k) {
    const double of_a = std::pow(10.0, -static_cast<double>(k) / 3),
                 of_b = std::pow(10.0, static_cast<double>(k) / 6 - 4);
    expected += (std::sqrt(of_a) - std::sqrt(of_b)) * (std::sqrt(of_a) - std::sqrt(of_b));
    for (size_t i = 0; i < kSide; ++i) {
      for (size_t j = 0; j < kSide; ++j) {
        a.covariance[i * kSide + j] += of_a * basis(i, k) * basis(j, k);
        b.covariance[i * kSide + j] += of_b * basis(i, k) * basis(j, k);
      }
    }
  }
  CHECK(frechet_distance(a, b) == Approx(expected).epsilon(1e-6));
}

TEST_CASE("a set is at distance zero from itself, also where it spans only part of its space") {
  const int64_t rows = GENERATE(40, 9);  // of 16 dimensions
  const FeatureStatistics of = feature_statistics(test::normals(static_cast<size_t>(rows * 16), 7), 16);
  double trace = 0;
  for (size_t i = 0; i < 16; ++i) trace += of.covariance[i * 17];
  CHECK(std::abs(frechet_distance(of, of)) <= 1e-9 * trace);
}

TEST_CASE("two sets without full rank: the distance is that within the space they span") {
  // the same points of the plane, put into three dimensions that hold nothing else
  const std::vector<double> x = test::normals(60, 8), y = test::normals(60, 9);
  const auto padded = [](const std::vector<double>& plane) {
    std::vector<double> rows;
    for (size_t i = 0; i < plane.size(); i += 2) rows.insert(rows.end(), {plane[i], 3.0, plane[i + 1], 0.0, 0.0});
    return rows;
  };
  CHECK(frechet_distance(feature_statistics(padded(x), 5), feature_statistics(padded(y), 5)) ==
        Approx(frechet_distance(feature_statistics(x, 2), feature_statistics(y, 2))).epsilon(1e-7));
  CHECK_THROWS_AS(frechet_distance(feature_statistics(x, 2), feature_statistics(y, 3)), DataError);
}

TEST_CASE("a statistics file holds what was written, and a broken one says what is wrong") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "stats.npz";
  const FeatureStatistics of = feature_statistics(test::normals(60, 10), 3);
  write_statistics(path, of, "pixels 8x8x1");
  const StoredStatistics read = read_statistics(path);
  CHECK(read.features == "pixels 8x8x1");
  CHECK(read.statistics.count == 20);
  CHECK(read.statistics.mean == of.mean);
  CHECK(read.statistics.covariance == of.covariance);

  const auto refused = [&](const NpzArrays& arrays, const char* part) {
    write_npz(path, arrays);
    CHECK_THROWS_WITH(read_statistics(path), Catch::Contains(part));
  };
  const auto array = [](std::vector<double> values, const Shape& shape) { return HostTensor::from(values, shape); };
  refused({{"mu", array({0, 0}, {2})}}, "no arrays mu and sigma");
  refused({{"mu", array({0, 0}, {2})}, {"sigma", array({1, 0, 0}, {3})}}, "must be [D] and [D,D]");
  refused({{"mu", array({0, 0}, {2})}, {"sigma", array({1, 2, 0, 1}, {2, 2})}}, "not symmetric");
  refused({{"mu", array({0, NAN}, {2})}, {"sigma", array({1, 0, 0, 1}, {2, 2})}}, "not finite");
}
