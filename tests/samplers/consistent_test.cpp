#include "samplers/consistent.hpp"

#include "kernels/core/error.hpp"
#include "samplers/schedule.hpp"
#include "samplers/variance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/point_mass.hpp"

using namespace ascore;

TEST_CASE("consistent_annealed leaves exactly the next level's noise after every step") {
  test::Bench bench(GENERATE(from_range(test::devices())));
  const double eta = GENERATE(0.31, 1.0, 1.6), value = 0.5;  // this schedule allows 0.305 to 1.695
  const auto sigmas = test::geometric(10, 0.01, 20);
  CAPTURE(name(bench.stream.device()), eta);
  Ctx& ctx = bench.ctx;
  const Tensor start = test::noisy_point(ctx, {64, 32, 32, 1}, value, sigmas[0]);
  size_t steps = 0;
  const auto watch = [&](size_t i, const Tensor& x) {
    CHECK(i == steps++);
    // 65,536 draws: 1.1 % is 4 standard errors. The last step adds no noise and takes the share eta of it away.
    const double expected = i + 1 < sigmas.size() ? sigmas[i + 1] : std::abs(1 - eta) * sigmas[i];
    CHECK(std::abs(test::rms(ctx, x, value) - expected) < 0.011 * expected + 1e-6);
  };
  const Samples samples =
      consistent_annealed(ctx, test::point_mass_score(value), sigmas, eta, start, NoiseKey{7}, watch);
  CHECK(steps == sigmas.size());
  CHECK(test::max_distance(ctx, samples.denoised, value) < 1e-6);
  CHECK(samples.plain.id() == start.id());
}

TEST_CASE("consistent_annealed refuses step sizes at which a level's noise cannot be reached, and names the interval") {
  test::Bench bench(Device::cpu);
  const auto sigmas = test::geometric(10, 0.01, 20);
  const auto run = [&](double eta) {
    bool asked = false;
    const ScoreFn score = [&](Ctx& ctx, const Tensor& x, double) {
      asked = true;
      return ctx.zeros(x.shape(), x.dtype());
    };
    try {
      consistent_annealed(bench.ctx, score, sigmas, eta, bench.normal({1, 4}, DType::f32, 1), NoiseKey{});
    } catch (const ConfigError&) {
      CHECK(!asked);
      throw;
    }
  };
  const double gamma = std::pow(1e-3, 1.0 / 19);
  CHECK_NOTHROW(run(1 - gamma + 1e-6));
  CHECK_NOTHROW(run(1 + gamma - 1e-6));
  CHECK_THROWS_AS(run(1 - gamma - 1e-6), ConfigError);
  CHECK_THROWS_AS(run(1 + gamma + 1e-6), ConfigError);
  CHECK_THROWS_AS(run(NAN), ConfigError);
  CHECK_THROWS_WITH(run(0.2), Catch::Contains("step size 2e-05") && Catch::Contains("(3.04807e-05, 0.000169519)"));
}

TEST_CASE("the spread of figure 1: consistent sampling follows the levels, Langevin sampling lags behind them") {
  const auto sigmas = test::geometric(50, 0.01, 232);
  const auto consistent = consistent_spread(sigmas, 0.2);
  REQUIRE(consistent.size() == 233);
  for (size_t i = 0; i < sigmas.size(); ++i) CHECK(consistent[i] == Approx(sigmas[i]).epsilon(1e-9));
  const auto langevin = annealed_langevin_spread(sigmas, 0.02, 1);
  REQUIRE(langevin.size() == 233);
  CHECK(langevin[231] > 1.5 * sigmas[231]);
  CHECK(annealed_langevin_spread(sigmas, 0.02, 5).back() < langevin.back());
}
