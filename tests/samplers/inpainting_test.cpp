#include "samplers/inpainting.hpp"

#include "engine/io/host_tensor.hpp"
#include "kernels/core/error.hpp"
#include "samplers/sampling.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/point_mass.hpp"

#include <cmath>

using namespace ascore;

namespace {

const Shape kShape{16, 6, 5, 1};

/// The upper half is known.
std::vector<uint8_t> upper_half() {
  std::vector<uint8_t> mask(30, 0);
  std::fill(mask.begin(), mask.begin() + 15, uint8_t{1});
  return mask;
}

/// Root mean square of x - reference over the known elements, or the others.
double distance(const std::vector<double>& x, const std::vector<double>& reference, bool known) {
  const std::vector<uint8_t> mask = upper_half();
  double squares = 0, count = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    if ((mask[i % mask.size()] != 0) != known) continue;
    squares += (x[i] - reference[i]) * (x[i] - reference[i]);
    ++count;
  }
  return std::sqrt(squares / count);
}

}  // namespace

TEST_CASE("inpainting: what the score sees is the reference with the level's noise; the rest is sampled as ever") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto sampler = GENERATE(SamplerKind::cas, SamplerKind::als);
  CAPTURE(name(device), name(sampler));
  test::Bench bench(device);
  Ctx& ctx = bench.ctx;
  const double mean = 0.5, spread = 0.05;  // of the data: independent normal elements
  const SamplingPlan plan = make_plan({.sampler = sampler, .n_sigma = 2}, {5, 0.05, 40, Spacing::geometric});
  std::vector<double> known = test::normals(static_cast<size_t>(kShape.count()), 3);
  for (double& value : known) value = mean + spread * value;
  const Tensor reference = ctx.from_host(known, kShape, DType::f32);
  known = ctx.to_host(reference);
  const Tensor mask = upload(ctx, HostTensor::from(upper_half(), {6, 5, 1}));

  size_t evaluations = 0;
  const ScoreFn score = [&](Ctx& c, const Tensor& x, double sigma) {
    ++evaluations;
    // 240 known elements: 5 standard errors.
    CHECK(std::abs(distance(c.to_host(x), known, true) / sigma - 1) < 5 / std::sqrt(2 * 240.0));
    const double variance = spread * spread + sigma * sigma;
    return affine(c, x, -1 / variance, mean / variance);
  };
  const StateEdit edit = keep_known(reference, mask, {.seed = 2, .stream = 18});
  const Tensor start = test::noisy_point(ctx, kShape, mean, 5);
  const Samples samples = run_sampler(ctx, plan, score, start, NoiseKey{.seed = 4, .stream = 17}, {}, edit);
  CHECK(evaluations == plan.evaluations());
  const std::vector<double> denoised = ctx.to_host(samples.denoised);
  CHECK(distance(denoised, known, true) <= plan.sigmas.back());
  // Where nothing is known, samples of the data: independent of the reference, about as far from the mean as data are
  // (less, for denoising draws to the mean).
  CHECK(distance(denoised, known, false) > spread);
  const std::vector<double> centre(known.size(), mean);
  CHECK(distance(denoised, centre, false) > 0.5 * spread);
  CHECK(distance(denoised, centre, false) < 1.2 * spread);
}

TEST_CASE("every evaluation draws noise of its own, and a sample's does not depend on the batch") {
  test::Bench bench(Device::cpu);
  Ctx& ctx = bench.ctx;
  const Tensor mask = upload(ctx, HostTensor::from(std::vector<uint8_t>{1, 1, 0}, {3}));
  const auto edited = [&](int64_t rows, uint64_t first, uint32_t evaluation) {
    const Tensor x = ctx.zeros({rows, 3}, DType::f32);
    keep_known(ctx.zeros({rows, 3}, DType::f32), mask, {.seed = 1, .first_sample = first})(ctx, x, 1.0, evaluation);
    return ctx.to_host(x);
  };
  const std::vector<double> four = edited(4, 0, 7), one = edited(1, 2, 7);
  CHECK(one == std::vector<double>(four.begin() + 6, four.begin() + 9));
  CHECK(edited(4, 0, 8) != four);
  CHECK(one[2] == 0);
}

TEST_CASE("the probability flow cannot inpaint, and says so") {
  test::Bench bench(Device::cpu);
  const SamplingPlan plan =
      make_plan({.sampler = SamplerKind::flow_heun, .init = Start::prior}, {5, 0.05, 40, Spacing::geometric});
  const StateEdit edit = [](Ctx&, const Tensor&, double, uint32_t) {};
  CHECK_THROWS_WITH(run_sampler(bench.ctx, plan, test::point_mass_score(0), bench.normal({1, 4}, DType::f32, 1),
                                NoiseKey{}, {}, edit),
                    Catch::Contains("flow_heun"));
}
