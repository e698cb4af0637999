#include "engine/training/held_out.hpp"

#include "engine/training/noise_levels.hpp"
#include "tests/support/catch.hpp"

#include <cmath>

using namespace ascore;

TEST_CASE("losses are grouped by the index of their noise level, in ten groups as equal as can be") {
  const int count = GENERATE(232, 37, 10);
  const std::vector<double> levels = noise_levels(50, 0.01, count, Spacing::geometric);
  LossByLevel losses(levels);
  std::vector<double> sums(10), counts(10);
  for (int i = 0; i < count; ++i) {
    const double in_f32 = static_cast<float>(levels[static_cast<size_t>(i)]), loss = 1.0 + i;
    losses.add(std::vector<double>{in_f32}, std::vector<double>{loss});
    const auto group = static_cast<size_t>(10 * i / count);
    sums[group] += loss;
    ++counts[group];
  }
  const HeldOutLoss result = losses.result();
  REQUIRE(result.by_level.size() == 10);
  for (size_t g = 0; g < 10; ++g) {
    CHECK(result.by_level[g] == Approx(sums[g] / counts[g]).epsilon(1e-12));
    CHECK(counts[g] >= count / 10);
    CHECK(counts[g] <= count / 10 + 1);
  }
  CHECK(result.mean == Approx((count + 1) / 2.0).epsilon(1e-12));
}

TEST_CASE("few levels are groups of their own; a group without samples has no loss") {
  LossByLevel losses(std::vector<double>{4, 2, 1});
  losses.add(std::vector<double>{4, 1, 4}, std::vector<double>{3, 10, 5});
  const HeldOutLoss result = losses.result();
  REQUIRE(result.by_level.size() == 3);
  CHECK(result.by_level[0] == 4);
  CHECK(std::isnan(result.by_level[1]));
  CHECK(result.by_level[2] == 10);
  CHECK(result.mean == 6);
}
