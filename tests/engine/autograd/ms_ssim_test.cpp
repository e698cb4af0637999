#include "kernels/ms_ssim/ms_ssim.hpp"

#include "engine/autograd/ms_ssim.hpp"
#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

namespace {
std::vector<double> noisy(const std::vector<double>& clean, double spread) {
  auto values = test::normals(clean.size(), 3);
  for (size_t i = 0; i < values.size(); ++i) values[i] = clean[i] + spread * values[i];
  return values;
}
}  // namespace

TEST_CASE("the gradient of ms_ssim agrees with central differences") {
  const Shape shape{1, 161, 162, 1};
  const auto y = test::normals(static_cast<size_t>(shape.count()), 1);
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        return scale(ctx, ms_ssim(ctx, in[0], ctx.from_host(y, shape, DType::f64)), 100);
      },
      {shape}, {noisy(y, 0.5)}, 8);
}

TEST_CASE("the loss l1_msssim is 0.16 l1 + 0.84 (1 - ms_ssim) for every element") {
  test::Bench bench(Device::cpu, DType::f64);
  const Shape shape{2, 161, 164, 1};
  const auto clean = test::normals(static_cast<size_t>(shape.count()), 1);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor target = ctx.from_host(clean, shape, DType::f64);
  const Tensor s = ctx.from_host(noisy(clean, 0.5), shape, DType::f64);
  tape.watch(s);
  const Tensor per_sample = ctx.empty({2}, DType::f64), distances = ctx.empty({2}, DType::f64);
  const Tensor loss = dsm_loss(ctx, s, target, DsmLoss::l1_msssim, per_sample);
  tape.backward(ctx, loss);
  const auto gradient = ctx.to_host(tape.gradient(s));

  Tape other;
  ctx.tape = &other;
  other.watch(s);
  const Tensor distance = dsm_loss(ctx, s, target, DsmLoss::l1, distances), similarity = ms_ssim(ctx, s, target);
  const double elements = 161 * 164, share = ctx.to_host(similarity)[0];
  CHECK(share > 0.2);
  CHECK(share < 0.99);
  const double missing = 0.84 * elements * (1 - share);
  CHECK(ctx.to_host(loss)[0] == Approx(0.16 * ctx.to_host(distance)[0] + missing));
  for (size_t n = 0; n < 2; ++n) {
    CHECK(ctx.to_host(per_sample)[n] == Approx(0.16 * ctx.to_host(distances)[n] + missing));
  }
  other.backward(ctx, similarity);
  const auto slope = ctx.to_host(other.gradient(s)), at = ctx.to_host(s);
  for (size_t i = 0; i < at.size(); i += 101) {
    const double sign = at[i] > clean[i] ? 1 : -1;
    CHECK(gradient[i] == Approx(0.16 * sign / 2 - 0.84 * elements * slope[i]));
  }
}

TEST_CASE("ms_ssim says which sides it needs") {
  test::Bench bench(Device::cpu);
  const Tensor x = bench.normal({1, 160, 200, 1}, DType::f32, 1), points = bench.normal({4, 2}, DType::f32, 1);
  CHECK_THROWS_WITH(ms_ssim(bench.ctx, x, x),
                    "ms_ssim: needs images [N,H,W,C] of sides above 160; given [1,160,200,1]");
  CHECK_THROWS_AS(dsm_loss(bench.ctx, points, points, DsmLoss::l1_msssim), ShapeError);
}
