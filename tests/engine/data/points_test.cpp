#include "engine/data/points.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

namespace {
std::vector<float> all(const Dataset& data, Split split) {
  std::vector<float> values(static_cast<size_t>(data.size(split) * 2));
  for (int64_t i = 0; i < data.size(split); ++i) data.read(split, i, &values[static_cast<size_t>(i * 2)]);
  return values;
}
}  // namespace

TEST_CASE("mixtures of Gaussians have the stated centres, spread and equal weights") {
  const auto [name, modes, spread] = GENERATE(
      table<std::string, size_t, double>({{"gaussians8", 8, 0.02 / 1.414}, {"gaussians25", 25, 0.05 / 2.828}}));
  const Mixture mixture = *mixture_of(name);
  REQUIRE(mixture.centres.size() == modes);
  CHECK(mixture.spread == Approx(spread));
  const auto data = open_dataset({.name = name}, 7);
  CHECK(data->sample_shape() == Shape{2});
  CHECK(data->size(Split::train) == 50'000);
  CHECK(data->size(Split::test) == 10'000);
  const std::vector<float> points = all(*data, Split::train);
  std::vector<double> count(modes), sum_x(modes), sum_y(modes), squares(modes);
  for (size_t i = 0; i < points.size() / 2; ++i) {
    const auto mode = static_cast<size_t>(data->label(Split::train, static_cast<int64_t>(i)));
    REQUIRE(mode < modes);
    const double dx = points[2 * i] - mixture.centres[mode][0], dy = points[2 * i + 1] - mixture.centres[mode][1];
    REQUIRE(std::hypot(dx, dy) < 7 * spread);
    count[mode] += 1;
    sum_x[mode] += dx;
    sum_y[mode] += dy;
    squares[mode] += dx * dx + dy * dy;
  }
  const double share = 50'000.0 / static_cast<double>(modes), error = spread / std::sqrt(share);
  for (size_t m = 0; m < modes; ++m) {
    CAPTURE(m);
    CHECK(std::abs(count[m] - share) < 5 * std::sqrt(share));
    CHECK(std::abs(sum_x[m] / count[m]) < 5 * error);
    CHECK(std::abs(sum_y[m] / count[m]) < 5 * error);
    CHECK(std::sqrt(squares[m] / count[m] / 2) == Approx(spread).epsilon(0.06));
  }
}

TEST_CASE("centres lie where the formulas say") {
  const Mixture eight = *mixture_of("gaussians8"), grid = *mixture_of("gaussians25");
  for (const auto& centre : eight.centres) CHECK(std::hypot(centre[0], centre[1]) == Approx(2 / 1.414));
  CHECK(eight.centres[1][0] == Approx(2 * std::sqrt(0.5) / 1.414));
  CHECK(grid.centres[0][0] == Approx(-4 / 2.828));
  CHECK(grid.centres[12][0] == 0);
  CHECK(grid.centres[24][1] == Approx(4 / 2.828));
  CHECK_FALSE(mixture_of("swissroll"));
}

TEST_CASE("the swiss roll is a spiral of 1.5 to 4.5 pi") {
  const auto data = open_dataset({.name = "swissroll"}, 3);
  const std::vector<float> points = all(*data, Split::train);
  double farthest_from_roll = 0, smallest = 100, largest = 0, mean_radius = 0;
  for (size_t i = 0; i < points.size(); i += 2) {
    const double x = 7.5 * points[i], y = 7.5 * points[i + 1], radius = std::hypot(x, y);
    double distance = 100;  // to the nearest turn: t = angle + 2 pi n, and its point is (t cos t, t sin t)
    for (int n = 0; n < 3; ++n) {
      const double t = std::clamp(std::atan2(y, x) + 2 * M_PI * n, 1.5 * M_PI, 4.5 * M_PI);
      distance = std::min(distance, std::hypot(x - t * std::cos(t), y - t * std::sin(t)));
    }
    farthest_from_roll = std::max(farthest_from_roll, distance);
    smallest = std::min(smallest, radius);
    largest = std::max(largest, radius);
    mean_radius += radius / 50'000;
  }
  CHECK(farthest_from_roll < 0.25 * 6.5);
  CHECK(smallest == Approx(1.5 * M_PI).margin(1.2));
  CHECK(largest == Approx(4.5 * M_PI).margin(1.2));
  CHECK(mean_radius == Approx(3 * M_PI).epsilon(0.01));
}

TEST_CASE("points are a pure function of seed, split and index") {
  const std::string name = GENERATE("swissroll", "gaussians8", "gaussians25");
  const auto a = open_dataset({.name = name}, 7), b = open_dataset({.name = name}, 7),
             c = open_dataset({.name = name}, 8);
  CHECK(all(*a, Split::test) == all(*b, Split::test));
  CHECK(all(*a, Split::test) != all(*c, Split::test));
  const std::vector<float> train = all(*a, Split::train), test = all(*a, Split::test);
  CHECK_FALSE(std::equal(test.begin(), test.begin() + 20, train.begin()));
}
