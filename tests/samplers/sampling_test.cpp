#include "samplers/sampling.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/point_mass.hpp"

using namespace ascore;

namespace {
const NoiseConfig kCifar{50, 0.01, 232, Spacing::geometric};
const double kLow = (1 - std::pow(0.01 / 50, 1.0 / 231)) * 1e-4;  // of CIFAR-10's interval: 3.62e-6
}  // namespace

TEST_CASE("the schedule of CAS has (L-1) n_sigma + 1 levels, that of ALS the training levels") {
  CHECK(sampler_schedule(SamplerKind::als, kCifar, 5).size() == 232);
  CHECK(sampler_schedule(SamplerKind::cas, kCifar, 1) == sampler_schedule(SamplerKind::als, kCifar, 1));
  const auto dense = sampler_schedule(SamplerKind::cas, kCifar, 5);
  REQUIRE(dense.size() == 1156);
  CHECK(dense.front() == 50);
  CHECK(dense.back() == 0.01);
  CHECK(dense[5] == Approx(50 * std::pow(0.01 / 50, 1.0 / 231)).epsilon(1e-12));
  CHECK(sampler_schedule(SamplerKind::cas, {4, 1, 4, Spacing::linear}, 2) ==
        std::vector<double>{4, 3.5, 3, 2.5, 2, 1.5, 1});
  CHECK_THROWS_AS(sampler_schedule(SamplerKind::cas, kCifar, 0), ConfigError);
}

TEST_CASE("the interval of valid step sizes comes from the smallest ratio") {
  const auto interval = valid_interval(sampler_schedule(SamplerKind::cas, kCifar, 1));
  CHECK(interval.low == Approx(kLow).epsilon(1e-9));
  CHECK(interval.high == Approx(2e-4 - kLow).epsilon(1e-9));
  const auto linear = valid_interval(std::vector<double>{4, 3, 2, 1});
  CHECK(linear.low == Approx(0.5));
  CHECK(linear.high == Approx(1.5));
}

TEST_CASE("step sizes by rule are near the paper's tuned ones, and never overshoot") {
  CHECK(make_plan({.sampler = SamplerKind::cas}, kCifar).step_size == Approx(1.5 * kLow));          // tuned: 5.6e-6
  CHECK(make_plan({.sampler = SamplerKind::als}, kCifar).step_size == Approx(5 * kLow));            // tuned: 1.8e-5
  CHECK(make_plan({.sampler = SamplerKind::als, .n_sigma = 5}, kCifar).step_size == Approx(kLow));  // tuned: 3.6e-6
  CHECK(make_plan({.sampler = SamplerKind::cas, .n_sigma = 5}, kCifar).step_size == Approx(1.1e-6).epsilon(0.02));
  const NoiseConfig few{10, 0.1, 3, Spacing::geometric};  // gamma = 0.1: 1.5 (1 - gamma) is outside the interval
  CHECK(make_plan({.sampler = SamplerKind::cas}, few).step_size == Approx(0.01));
  CHECK(make_plan({.sampler = SamplerKind::als}, few).step_size == Approx(0.01));
}

TEST_CASE("a plan refuses a step size outside its interval, naming it") {
  CHECK_THROWS_WITH(make_plan({.step_size = 1e-6}, kCifar), Catch::Contains("(3.61995e-06, 0.00019638)"));
  CHECK_THROWS_AS(make_plan({.sampler = SamplerKind::als, .step_size = -1}, kCifar), ConfigError);
  CHECK_NOTHROW(make_plan({.sampler = SamplerKind::als, .step_size = 1e-6}, kCifar));
  CHECK(make_plan({.n_sigma = 2}, kCifar).evaluations() == 463);
  CHECK(make_plan({.sampler = SamplerKind::als, .n_sigma = 2}, kCifar).evaluations() == 464);
}

TEST_CASE("names parse back") {
  for (SamplerKind sampler : {SamplerKind::cas, SamplerKind::als, SamplerKind::flow_euler, SamplerKind::flow_heun}) {
    CHECK(parse_sampler(name(sampler)) == sampler);
  }
  for (Start start : {Start::uniform, Start::prior, Start::data}) CHECK(parse_start(name(start)) == start);
  CHECK_THROWS_WITH(parse_sampler("hmc"),
                    Catch::Contains("\"hmc\"") && Catch::Contains("cas, als, flow_euler or flow_heun"));
  CHECK_THROWS_AS(parse_start("zero"), ConfigError);
}

TEST_CASE("initial states: uniform, prior, data") {
  test::Bench bench(GENERATE(from_range(test::devices())));
  Ctx& ctx = bench.ctx;
  const Shape shape{64, 32, 32, 1};
  const Tensor uniform = uniform_start(ctx, shape, -3, 3, {.seed = 1, .stream = 16});
  CHECK(test::max_distance(ctx, uniform, 0) <= 3);
  CHECK(test::rms(ctx, uniform, 0) == Approx(std::sqrt(3.0)).epsilon(0.01));
  const Tensor prior = prior_start(ctx, shape, 50, {.seed = 1, .stream = 16});
  CHECK(test::rms(ctx, prior, 0) == Approx(50).epsilon(0.011));
  const Tensor point = ctx.zeros(shape, DType::f32), noisy = data_start(ctx, point, 50, {.seed = 1, .stream = 16});
  CHECK(ctx.to_host(noisy) == ctx.to_host(prior));
}
