#include "samplers/probability_flow.hpp"

#include "kernels/core/error.hpp"
#include "samplers/sampling.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/point_mass.hpp"

#include <cmath>

using namespace ascore;

namespace {

/// The exact score of normal data of mean 0 and sd `spread`.
ScoreFn normal_score(double spread) {
  return [spread](Ctx& ctx, const Tensor& x, double sigma) {
    return scale(ctx, x, -1 / (spread * spread + sigma * sigma));
  };
}

/// Largest relative error of x at the last level against the flow's closed form for normal data of sd `spread`,
/// x(sigma) = x(sigma_1) sqrt((spread^2 + sigma^2) / (spread^2 + sigma_1^2)).
double flow_error(FlowMethod method, int levels, double spread) {
  test::Bench bench(Device::cpu);
  const double begin = 10, end = 0.02;
  const Tensor start = bench.normal({3, 5, 2}, DType::f64, 4);
  const std::vector<double> before = bench.ctx.to_host(start);
  const auto sigmas = flow_levels(begin, end, levels);
  const Samples samples = probability_flow(bench.ctx, normal_score(spread), sigmas, method, start);
  const std::vector<double> after = bench.ctx.to_host(samples.plain), denoised = bench.ctx.to_host(samples.denoised);
  const double shrink = std::sqrt((spread * spread + end * end) / (spread * spread + begin * begin));
  double worst = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    worst = std::max(worst, std::abs(after[i] / (before[i] * shrink) - 1));
    CHECK(denoised[i] == Approx(after[i] * spread * spread / (spread * spread + end * end)).epsilon(1e-12));
  }
  return worst;
}

}  // namespace

TEST_CASE("the flow's levels are EDM's") {
  const auto levels = flow_levels(80, 0.002, 18);
  REQUIRE(levels.size() == 18);
  CHECK(levels.front() == 80);
  CHECK(levels.back() == 0.002);
  CHECK(levels[9] == Approx(1.9233398370).epsilon(1e-9));  // (80^(1/7) + 9/17 (0.002^(1/7) - 80^(1/7)))^7
  for (size_t i = 1; i < levels.size(); ++i) CHECK(levels[i] < levels[i - 1]);
  CHECK(flow_levels(4, 1, 1) == std::vector<double>{4});
  CHECK_THROWS_AS(flow_levels(4, 1, 0), ConfigError);
  CHECK_THROWS_AS(flow_levels(1, 4, 5), ConfigError);
}

TEST_CASE("Heun converges at order 2 to the closed form for normal data, Euler at order 1") {
  const double spread = GENERATE(0.5, 2.0);
  const auto ratio = [&](FlowMethod method, int levels) {
    return flow_error(method, levels, spread) / flow_error(method, 2 * levels - 1, spread);  // half the step
  };
  for (const int levels : {81, 161}) {
    CHECK(ratio(FlowMethod::euler, levels) == Approx(2).epsilon(0.06));
    CHECK(ratio(FlowMethod::heun, levels) == Approx(4).epsilon(0.06));
  }
  CHECK(flow_error(FlowMethod::heun, 321, spread) < 1e-4);
}

TEST_CASE("for a point mass every step of the flow is exact, and the end is the point") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto method = GENERATE(FlowMethod::euler, FlowMethod::heun);
  CAPTURE(name(device), int(method));
  test::Bench bench(device);
  const double value = 0.3, begin = 5;
  const auto sigmas = flow_levels(begin, 0.01, 18);
  const Tensor start = test::noisy_point(bench.ctx, {7, 3, 4, 2}, value, begin);
  const std::vector<double> before = bench.ctx.to_host(start);
  size_t evaluations = 0, steps = 0;
  const ScoreFn exact = test::point_mass_score(value), counted = [&](Ctx&ctx, const Tensor&x, double sigma) {
    ++evaluations;
    return exact(ctx, x, sigma);
  };
  const Samples samples = probability_flow(bench.ctx, counted, sigmas, method, start, [&](size_t i, const Tensor& x) {
    CHECK(i == steps++);
    const double left = i + 1 < sigmas.size() ? sigmas[i + 1] / begin : 0;
    const std::vector<double> now = bench.ctx.to_host(x);
    for (size_t k = 0; k < now.size(); ++k) {
      CHECK(std::abs(now[k] - (value + left * (before[k] - value))) < 4e-6 * (1 + std::abs(before[k])));
    }
  });
  CHECK(steps == sigmas.size());
  CHECK(evaluations == (method == FlowMethod::heun ? 35 : 18));
  CHECK(test::max_distance(bench.ctx, samples.denoised, value) < 1e-5);
  CHECK(samples.plain.id() == start.id());
}

TEST_CASE("a plan of the flow starts from the prior, takes no step size, and knows its evaluations") {
  const NoiseConfig noise{50, 0.01, 232, Spacing::geometric};
  const SamplingConfig heun{.sampler = SamplerKind::flow_heun, .init = Start::prior};
  CHECK(make_plan(heun, noise).evaluations() == 35);
  CHECK(make_plan(heun, noise).sigmas == flow_levels(50, 0.01, 18));
  CHECK(make_plan({.sampler = SamplerKind::flow_euler, .flow_steps = 40, .init = Start::prior}, noise).evaluations() ==
        40);
  for (const Start start : {Start::uniform, Start::data}) {
    CHECK_THROWS_WITH(make_plan({.sampler = SamplerKind::flow_heun, .init = start}, noise),
                      Catch::Contains("prior") && Catch::Contains(name(start)));
  }
  CHECK_THROWS_WITH(make_plan({.sampler = SamplerKind::flow_heun, .step_size = 1e-6, .init = Start::prior}, noise),
                    Catch::Contains("step size"));
  CHECK_THROWS_WITH(make_plan({.sampler = SamplerKind::flow_heun, .n_sigma = 5, .init = Start::prior}, noise),
                    Catch::Contains("n_sigma"));
  CHECK_THROWS_AS(make_plan({.sampler = SamplerKind::flow_heun, .flow_steps = 0, .init = Start::prior}, noise),
                  ConfigError);
}
