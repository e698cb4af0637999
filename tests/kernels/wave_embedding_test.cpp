#include "kernels/wave_embedding/wave_embedding.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <cmath>

using namespace ascore;

TEST_CASE("waves of noise levels agree with the formula in f64") {
  const auto device = GENERATE(from_range(test::devices()));
  const bool linear = GENERATE(false, true);
  const int64_t width = GENERATE(4, 6, 34);
  CAPTURE(name(device), linear, width);
  const kernels::LevelScale scale{.begin = 50, .end = 0.01, .levels = 1000, .linear = linear};
  const std::vector<double> given{50, 49.9, 7.3, 1, 0.25, 0.011, 0.01};
  const auto samples = static_cast<int64_t>(given.size()), half = width / 2;
  const auto sigma = test::buffer(device, {samples}, DType::f32, given);
  std::vector<double> expected;
  for (const double s : sigma.values()) {
    const double t = linear ? 999 * (50 - s) / (50 - 0.01) : 999 * std::log(s / 50) / std::log(0.01 / 50);
    for (const auto wave : {+[](double a) { return std::sin(a); }, +[](double a) { return std::cos(a); }}) {
      for (int64_t k = 0; k < half; ++k)
        expected.push_back(wave(t * std::pow(1e4, -static_cast<double>(k) / static_cast<double>(half - 1))));
    }
  }
  for (const uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto waves = test::poisoned(device, {samples, width});
    kernels::wave_embedding(stream, sigma, scale, 1e4, waves);
    stream.synchronize();
    test::require_kernels_ran(stream);
    const std::vector<double> found = waves.values();
    REQUIRE(found.size() == expected.size());
    double worst = 0;
    for (size_t i = 0; i < found.size(); ++i) worst = std::max(worst, std::abs(found[i] - expected[i]));
    CHECK(worst < 4e-7);  // exact_f32's 2e-7, and rounding
  }
}

TEST_CASE("waves of no sample are none, and odd widths are refused") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const kernels::LevelScale scale{.begin = 50, .end = 0.01, .levels = 10};
  auto none = test::poisoned(device, {0, 8}), odd = test::poisoned(device, {2, 7}),
       narrow = test::poisoned(device, {2, 2});
  kernels::wave_embedding(stream, test::data(device, {0}), scale, 1e4, none);
  const auto sigma = test::data(device, {2});
  CHECK_THROWS_AS(kernels::wave_embedding(stream, sigma, scale, 1e4, odd), ShapeError);
  CHECK_THROWS_AS(kernels::wave_embedding(stream, sigma, scale, 1e4, narrow), ShapeError);
  CHECK_THROWS_AS(kernels::wave_embedding(stream, sigma, scale, 1e4, none), ShapeError);
}
