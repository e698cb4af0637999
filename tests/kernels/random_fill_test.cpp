#include "kernels/random_fill/random_fill.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>

using namespace ascore;

namespace {

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// sqrt(n) times the largest distance between the empirical distribution and `cdf`: Kolmogorov's statistic, above 2.23
/// with probability 1e-4.
template <class Cdf>
double kolmogorov(std::vector<double> values, Cdf cdf) {
  std::sort(values.begin(), values.end());
  const double n = static_cast<double>(values.size());
  double distance = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double p = cdf(values[i]);
    distance = std::max({distance, p - double(i) / n, double(i + 1) / n - p});
  }
  return std::sqrt(n) * distance;
}

double moment(const std::vector<double>& values, int power) {
  double sum = 0;
  for (double value : values) sum += std::pow(value, power);
  return sum / static_cast<double>(values.size());
}

std::vector<double> draw(Device device, bool normal, const Shape& shape, const NoiseKey& key, DType dtype = DType::f32,
                         uint64_t schedule = 0) {
  Stream stream(device, {.schedule = schedule});
  auto y = test::poisoned(device, shape, dtype);
  if (normal)
    kernels::random_normal(stream, key, 0, 1, y);
  else
    kernels::random_uniform(stream, key, 0, 1, y);
  stream.synchronize();
  if (shape.count()) test::require_kernels_ran(stream);
  return y.values();
}

}  // namespace

TEST_CASE("random numbers have the same bits on every device, in every order of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const bool normal = GENERATE(true, false);
  const Shape shape = GENERATE(Shape{1}, Shape{}, Shape{5, 3}, Shape{3, 7, 5, 3}, Shape{2, 4096}, Shape{0, 4});
  CAPTURE(name(device), normal, to_string(shape));
  const NoiseKey key{.seed = 0x123456789abcdef, .stream = 6, .first_sample = 1'000'000, .step = 41};
  const std::vector<double> expected = draw(Device::cpu, normal, shape, key);
  for (uint64_t schedule : test::schedules(device)) {
    CHECK(draw(device, normal, shape, key, DType::f32, schedule) == expected);
  }
}

TEST_CASE("random numbers follow their distributions") {
  const auto device = GENERATE(from_range(test::devices()));
  const Shape shape = device == Device::simt ? Shape{64, 16, 16, 3} : Shape{64, 64, 64, 3};
  const double n = static_cast<double>(shape.count());
  CAPTURE(name(device));
  const auto z = draw(device, true, shape, {.seed = 11});
  // Five standard errors each: the moments' variances are 1, 2, 15, 96.
  CHECK(std::abs(moment(z, 1)) < 5 / std::sqrt(n));
  CHECK(std::abs(moment(z, 2) - 1) < 5 * std::sqrt(2 / n));
  CHECK(std::abs(moment(z, 3)) < 5 * std::sqrt(15 / n));
  CHECK(std::abs(moment(z, 4) - 3) < 5 * std::sqrt(96 / n));
  CHECK(kolmogorov(z, normal_cdf) < 2.23);
  // Neighbours, and the two halves of a Box-Muller pair, are independent of each other: correlations within 5 / sqrt n.
  for (size_t lag : {1, 2, 3, 4, 48}) {
    double sum = 0;
    for (size_t i = lag; i < z.size(); ++i) sum += z[i] * z[i - lag];
    CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
  }
  const auto u = draw(device, false, shape, {.seed = 12});
  CHECK(*std::min_element(u.begin(), u.end()) > 0);
  CHECK(*std::max_element(u.begin(), u.end()) <= 1);
  CHECK(std::abs(moment(u, 1) - 0.5) < 5 * std::sqrt(1 / 12.0 / n));
  CHECK(std::abs(moment(u, 2) - 1 / 3.0) < 5 * std::sqrt(4 / 45.0 / n));
  CHECK(kolmogorov(u, [](double x) { return x; }) < 2.23);
}

TEST_CASE("a sample's numbers do not depend on the batch it is drawn in") {
  const auto device = GENERATE(from_range(test::devices()));
  const NoiseKey key{.seed = 3, .stream = 17, .first_sample = 40};
  const auto batch = draw(device, true, {6, 5, 3}, key);
  NoiseKey later = key;
  later.first_sample = 44;
  const auto single = draw(device, true, {1, 5, 3}, later);
  CHECK(std::equal(single.begin(), single.end(), batch.begin() + 4 * 15));
}

TEST_CASE("random_normal and random_uniform scale and shift") {
  const auto device = GENERATE(from_range(test::devices()));
  const NoiseKey key{.seed = 5};
  const auto z = draw(device, true, {4, 9}, key), u = draw(device, false, {4, 9}, key);
  Stream stream(device);
  auto y = test::poisoned(device, {4, 9}), w = test::poisoned(device, {4, 9});
  kernels::random_normal(stream, key, 0.5, 3, y);
  kernels::random_uniform(stream, key, -3, 3, w);
  for (size_t i = 0; i < z.size(); ++i) {
    CHECK(y.values()[i] == test::round_f32(0.5 + test::round_f32(3 * z[i])));
    CHECK(w.values()[i] == test::round_f32(-3 + test::round_f32(6 * u[i])));
  }
}

TEST_CASE("f64 normals are the f32 ones, on the cpu only") {
  const auto device = GENERATE(from_range(test::devices()));
  const NoiseKey key{.seed = 5};
  if (device == Device::cpu) {
    CHECK(draw(device, true, {3, 6}, key, DType::f64) == draw(device, true, {3, 6}, key));
  } else {
    CHECK_THROWS_AS(draw(device, true, {3, 6}, key, DType::f64), DTypeError);
  }
  CHECK_THROWS_AS(draw(device, true, {3, 6}, key, DType::i32), DTypeError);
}
