#include "samplers/interpolation.hpp"

#include "kernels/random_fill/random_fill.hpp"
#include "samplers/initial_state.hpp"
#include "samplers/sampling.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/point_mass.hpp"

#include <cmath>
#include <numbers>

using namespace ascore;

namespace {

constexpr uint64_t kOwn = 5, kOther = 11;
const NoiseKey kKey{.seed = kOwn, .stream = 16, .first_sample = 3, .step = 2};
const NoiseKey kOtherKey{.seed = kOther, .stream = 16, .first_sample = 3, .step = 2};

std::vector<double> values_of(Ctx& ctx, const Tensor& x) {
  return ctx.to_host(x);
}

std::vector<double> normals_of(Ctx& ctx, const Shape& shape, const NoiseKey& key) {
  Tensor z = ctx.empty(shape, DType::f32);
  kernels::random_normal(ctx.stream, key, 0, 1, z);
  return ctx.to_host(z);
}

}  // namespace

TEST_CASE("the normal's share and quantile are each other's inverse") {
  for (double x = -7; x <= 5; x += 0.03125) {
    CHECK(normal_quantile(normal_share(x)) == Approx(x).epsilon(1e-9).margin(1e-12));
  }
  // Abramowitz & Stegun, table 26.1 and 26.5.
  CHECK(normal_share(1) == Approx(0.841344746068543).epsilon(1e-14));
  CHECK(normal_share(-4) == Approx(3.16712418331199e-5).epsilon(1e-12));
  CHECK(normal_quantile(0.975) == Approx(1.95996398454005).epsilon(1e-12));
  CHECK(normal_quantile(0.5) == 0);
  CHECK(normal_quantile(0x1p-34) == Approx(-normal_quantile(1 - 0x1p-34)).epsilon(1e-9));
}

TEST_CASE("at its ends the way has the seeds' own draws, bit for bit") {
  test::Bench bench(GENERATE(from_range(test::devices())));
  Ctx& ctx = bench.ctx;
  const Shape shape{3, 5, 7, 1};
  const Tensor data = bench.normal(shape, DType::f32, 8);
  for (const double t : {0.0, 1.0}) {
    const SeedMix mix{.other = kOther, .t = t};
    const NoiseKey& key = t == 0 ? kKey : kOtherKey;
    CHECK(values_of(ctx, mixed_uniform_start(ctx, shape, -3, 3, kKey, mix)) ==
          values_of(ctx, uniform_start(ctx, shape, -3, 3, key)));
    CHECK(values_of(ctx, mixed_prior_start(ctx, shape, 50, kKey, mix)) ==
          values_of(ctx, prior_start(ctx, shape, 50, key)));
    CHECK(values_of(ctx, mixed_data_start(ctx, data, 50, kKey, mix)) == values_of(ctx, data_start(ctx, data, 50, key)));
    const Tensor x = bench.normal(shape, DType::f32, 1), same = bench.normal(shape, DType::f32, 1);
    mixed_noise(kKey, mix).update(ctx, x, data, 0.3, 0.7, 4);
    NoiseSource(key).update(ctx, same, data, 0.3, 0.7, 4);
    CHECK(values_of(ctx, x) == values_of(ctx, same));
  }
}

TEST_CASE("between, every normal draw is cos(t pi/2) z + sin(t pi/2) z'") {
  test::Bench bench(GENERATE(from_range(test::devices())));
  Ctx& ctx = bench.ctx;
  const Shape shape{3, 5, 7, 1};
  const double t = GENERATE(0.25, 0.5, 0.9);
  const SeedMix mix{.other = kOther, .t = t};
  const double a = std::cos(t * std::numbers::pi / 2), b = std::sin(t * std::numbers::pi / 2);
  const std::vector<double> own = normals_of(ctx, shape, kKey), other = normals_of(ctx, shape, kOtherKey);
  const std::vector<double> prior = values_of(ctx, mixed_prior_start(ctx, shape, 2, kKey, mix));
  const Tensor data = bench.normal(shape, DType::f32, 8), x = bench.normal(shape, DType::f32, 1);
  const std::vector<double> start = values_of(ctx, mixed_data_start(ctx, data, 2, kKey, mix));
  const std::vector<double> before = ctx.to_host(x), d = ctx.to_host(data);
  mixed_noise(kKey.at_step(0), mix).update(ctx, x, data, 0.3, 0.7, 2);  // draw 2 from step 0: the step of kKey
  const std::vector<double> after = ctx.to_host(x);
  const std::vector<double> uniform = values_of(ctx, mixed_uniform_start(ctx, shape, -3, 3, kKey, mix));
  const std::vector<double> u = values_of(ctx, uniform_start(ctx, shape, 0, 1, kKey));
  const std::vector<double> v = values_of(ctx, uniform_start(ctx, shape, 0, 1, kOtherKey));
  for (size_t i = 0; i < own.size(); ++i) {
    const double z = a * own[i] + b * other[i];
    CHECK(prior[i] == Approx(2 * z).margin(2e-6));
    CHECK(start[i] == Approx(d[i] + 2 * z).margin(3e-6));
    CHECK(after[i] == Approx(before[i] + 0.3 * d[i] + 0.7 * z).margin(3e-6));
    // Phi of the mixed normals, whose shares are the two uniform draws.
    CHECK(normal_quantile((uniform[i] + 3) / 6) ==
          Approx(a * normal_quantile(u[i]) + b * normal_quantile(v[i])).margin(1e-4));
  }
}

TEST_CASE("mixed draws are as spread as a seed's own, and uniform ones stay uniform") {
  test::Bench bench(Device::cpu);
  Ctx& ctx = bench.ctx;
  const Shape shape{64, 32, 32, 1};
  const SeedMix mix{.other = kOther, .t = 0.3};
  CHECK(test::rms(ctx, mixed_prior_start(ctx, shape, 50, kKey, mix), 0) == Approx(50).epsilon(0.011));
  const Tensor uniform = mixed_uniform_start(ctx, shape, -3, 3, kKey, mix);
  CHECK(test::max_distance(ctx, uniform, 0) <= 3);
  CHECK(test::rms(ctx, uniform, 0) == Approx(std::sqrt(3.0)).epsilon(0.01));
}

TEST_CASE("a whole run of either annealing sampler has the seeds' own samples at its ends") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto sampler = GENERATE(SamplerKind::cas, SamplerKind::als);
  CAPTURE(name(device), name(sampler));
  test::Bench bench(device);
  const SamplingPlan plan = make_plan({.sampler = sampler}, {1, 0.1, 5, Spacing::geometric});
  const auto run = [&](const NoiseSource& noise) {
    const Tensor x = bench.normal({3, 5, 7, 1}, DType::f32, 1);
    return bench.ctx.to_host(run_sampler(bench.ctx, plan, test::point_mass_score(0.5), x, noise).plain);
  };
  CHECK(run(mixed_noise(kKey, {.other = kOther, .t = 0})) == run(kKey));
  CHECK(run(mixed_noise(kKey, {.other = kOther, .t = 1})) == run(kOtherKey));
  CHECK(run(mixed_noise(kKey, {.other = kOther, .t = 0.5})) != run(kKey));
}
