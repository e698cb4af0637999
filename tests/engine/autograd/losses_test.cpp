#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

#include <numeric>

using namespace ascore;

namespace {
constexpr GanLoss kAll[] = {GanLoss::gan,   GanLoss::wgan,      GanLoss::hinge,   GanLoss::rpgan,   GanLoss::ragan,
                            GanLoss::lsgan, GanLoss::lsgan_sat, GanLoss::rplsgan, GanLoss::ralsgan, GanLoss::rahinge};
}

TEST_CASE("gradients of dsm_loss agree with central differences") {
  const auto kind = GENERATE(DsmLoss::l2, DsmLoss::l1);
  const Shape shape{3, 2, 2, 2};
  const auto target = test::normals(24, 2);
  auto s = test::normals(24, 1);
  for (size_t i = 0; i < s.size(); ++i) {
    if (std::abs(s[i] - target[i]) < 1e-3) s[i] += 0.1;  // away from the kink of l1
  }
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        return dsm_loss(ctx, in[0], ctx.from_host(target, shape, DType::f64), kind);
      },
      {shape}, {s});
}

TEST_CASE("dsm_loss hands out each sample's loss, of which it is the mean") {
  test::Bench bench(Device::cpu, DType::f64);
  const Tensor s = bench.normal({4, 5}, DType::f64, 1), target = bench.normal({4, 5}, DType::f64, 2);
  Tensor per_sample = bench.ctx.empty({4}, DType::f64);
  const double mean = bench.ctx.to_host(dsm_loss(bench.ctx, s, target, DsmLoss::l2, per_sample))[0];
  const auto a = bench.ctx.to_host(s), b = bench.ctx.to_host(target), each = bench.ctx.to_host(per_sample);
  for (size_t n = 0; n < 4; ++n) {
    double sum = 0;
    for (size_t i = 5 * n; i < 5 * n + 5; ++i) sum += 0.5 * (a[i] - b[i]) * (a[i] - b[i]);
    CHECK(each[n] == Approx(sum).epsilon(1e-14));
  }
  CHECK(mean == Approx(std::accumulate(each.begin(), each.end(), 0.0) / 4).epsilon(1e-14));
}

TEST_CASE("gradients of all critic and generator losses agree with central differences") {
  const auto kind = GENERATE(from_range(std::begin(kAll), std::end(kAll)));
  CAPTURE(int(kind));
  // Distances between these, their means and the hinges' kinks at +-1 are all above 0.01.
  const std::vector<double> real{0.31, -1.27, 2.4, 0.93, -0.45}, fake{-0.72, 1.61, 0.18, -1.9, 0.55};
  const auto losses = {critic_loss, generator_loss};
  for (const auto& loss : losses) {
    test::check_gradients([&](Ctx& ctx, const std::vector<Tensor>& in) { return loss(ctx, kind, in[0], in[1]); },
                          {Shape{5}, Shape{5, 1}}, {real, fake});
  }
}

TEST_CASE("tweedie denoises, and its gradient with respect to the network agrees with central differences") {
  const Shape shape{3, 2, 1, 2};
  const std::vector<double> sigma{0.1, 2.0, 30.0};
  const auto x = test::normals(12, 1);
  const auto denoise = [&](Ctx& ctx, const std::vector<Tensor>& in) {
    return tweedie(ctx, ctx.from_host(x, shape, DType::f64), in[0], ctx.from_host(sigma, {3}, DType::f64));
  };
  const auto s = test::normals(12, 2);
  test::check_gradients(denoise, {shape}, {s});
  test::Bench bench(Device::cpu, DType::f64);
  const auto denoised = bench.ctx.to_host(denoise(bench.ctx, {bench.ctx.from_host(s, shape, DType::f64)}));
  for (size_t i = 0; i < 12; ++i) CHECK(denoised[i] == Approx(x[i] + sigma[i / 4] * s[i]).epsilon(1e-14));
}
