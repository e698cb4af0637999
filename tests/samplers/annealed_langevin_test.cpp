#include "samplers/annealed_langevin.hpp"

#include "kernels/core/error.hpp"
#include "samplers/variance.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/point_mass.hpp"

using namespace ascore;

TEST_CASE("annealed_langevin's noise follows its recurrence") {
  test::Bench bench(GENERATE(from_range(test::devices())));
  const bool noise_first = GENERATE(false, true);
  const int n_sigma = GENERATE(1, 3);
  CAPTURE(name(bench.stream.device()), noise_first, n_sigma);
  Ctx& ctx = bench.ctx;
  const double eta = 0.3, value = 0.5;
  const auto sigmas = test::geometric(4, 0.1, 8);
  const double step_size = eta * sigmas.back() * sigmas.back();
  // Noise first: the step takes the share eta of the new noise away as well.
  std::vector<double> expected = annealed_langevin_spread(sigmas, eta, n_sigma);
  if (noise_first) {
    for (size_t i = 1; i < expected.size(); ++i) {
      const double sigma = sigmas[(i - 1) / static_cast<size_t>(n_sigma)];
      expected[i] = (1 - eta) * std::sqrt(expected[i - 1] * expected[i - 1] + 2 * eta * sigma * sigma);
    }
  }
  const Tensor start = test::noisy_point(ctx, {64, 32, 32, 1}, value, sigmas[0]);
  size_t steps = 0;
  const auto watch = [&](size_t i, const Tensor& x) {
    CHECK(i == steps++);
    CHECK(test::rms(ctx, x, value) == Approx(expected[i + 1]).epsilon(0.011));  // 65,536 draws: 4 standard errors
  };
  const Samples samples = annealed_langevin(ctx, test::point_mass_score(value), sigmas, n_sigma, step_size, noise_first,
                                            start, NoiseKey{7}, watch);
  CHECK(steps == sigmas.size() * static_cast<size_t>(n_sigma));
  CHECK(test::max_distance(ctx, samples.denoised, value) < 1e-6);
  CHECK(samples.plain.id() == start.id());
}

TEST_CASE("annealed_langevin refuses settings that make no sense") {
  test::Bench bench(Device::cpu);
  const auto sigmas = test::geometric(4, 0.1, 8);
  const auto run = [&](std::span<const double> levels, int n_sigma, double step_size) {
    annealed_langevin(bench.ctx, test::point_mass_score(0), levels, n_sigma, step_size, false,
                      bench.normal({1, 4}, DType::f32, 1), NoiseKey{});
  };
  CHECK_THROWS_AS(run(sigmas, 0, 1e-3), ConfigError);
  CHECK_THROWS_AS(run(sigmas, 1, 0), ConfigError);
  CHECK_THROWS_AS(run(sigmas, 1, NAN), ConfigError);
  CHECK_THROWS_AS(run({}, 1, 1e-3), ConfigError);
}
