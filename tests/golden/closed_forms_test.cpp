#include "engine/training/noise_levels.hpp"
#include "samplers/schedule.hpp"
#include "samplers/variance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/golden.hpp"

#include <fmt/format.h>

using namespace ascore;

namespace {
/// Element by element, relative: these values span five decades.
void check_close(const std::vector<double>& values, const std::vector<double>& reference, double tolerance) {
  REQUIRE(values.size() == reference.size());
  double worst = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double error = std::abs(values[i] / reference[i] - 1);
    if (!(error <= worst)) worst = error;
  }
  CHECK(worst < tolerance);
}
}  // namespace

TEST_CASE("closed forms agree with the original implementation, every tensor") {
  test::GoldenFile golden("closed_forms");

  const auto levels = noise_levels(50, 0.01, 232, Spacing::geometric);
  check_close(levels, golden.values("als.sigmas"), 1e-12);
  for (int n_sigma : {1, 2, 5, 20, 100}) {
    CAPTURE(n_sigma);
    check_close(annealed_langevin_spread(levels, 0.02, n_sigma), golden.values(fmt::format("als.n{}", n_sigma)), 1e-12);
  }

  // 23,201 levels; the file keeps every hundredth value and the last five.
  const auto dense = consistent_spread(noise_levels(50, 0.01, 23201, Spacing::geometric), 0.2);
  std::vector<double> hundredths;
  for (size_t i = 0; i < dense.size(); i += 100) hundredths.push_back(dense[i]);
  check_close(hundredths, golden.values("cas.dense_every100"), 1e-12);
  check_close({dense.end() - 5, dense.end()}, golden.values("cas.dense_tail"), 1e-12);
  check_close(consistent_spread(levels, 0.2), golden.values("cas.232_eps0.2"), 1e-12);

  // goal, dimension, sigma_min, sigma_max, alpha, number of steps
  const auto rules = golden.values("steps_rule");
  for (size_t row = 0; row < rules.size(); row += 6) {
    const double* const rule = rules.data() + row;
    CAPTURE(rule[0], rule[1], rule[2], rule[3]);
    const LevelRule got = level_rule(rule[0], static_cast<int64_t>(rule[1]), rule[3], rule[2]);
    CHECK(std::abs(got.ratio - rule[4]) < 1e-9);  // the grid's spacing is 1e-6
    CHECK(got.levels == Approx(rule[5]).epsilon(1e-9));
  }

  struct Schedule {
    const char* name;
    double begin;
    int levels;
  };
  for (const Schedule& schedule :
       {Schedule{"cifar10", 50, 232}, Schedule{"church", 140, 788}, Schedule{"tower", 190, 1086},
        Schedule{"celeba", 90, 500}, Schedule{"ffhq", 348, 2311}}) {
    CAPTURE(schedule.name);
    check_close(noise_levels({schedule.begin, 0.01, schedule.levels, Spacing::geometric}),
                golden.values(fmt::format("sigmas.{}", schedule.name)), 1e-12);
  }
  check_close(sampler_schedule(SamplerKind::cas, {50, 0.01, 232, Spacing::geometric}, 5),
              golden.values("sigmas.cifar10_consistent_n5"), 1e-12);
  golden.check_all_used();
}
