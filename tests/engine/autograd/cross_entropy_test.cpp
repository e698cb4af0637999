#include "engine/autograd/cross_entropy.hpp"

#include "kernels/core/memory.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

#include <cmath>

using namespace ascore;

namespace {
constexpr int32_t kLabels[] = {2, 0, 4, 4, 1, 3};

Tensor labels_on(Ctx& ctx) {
  Tensor labels = ctx.empty({6}, DType::i32);
  copy(ctx.stream, labels.view(), ConstView(kLabels, {6}, DType::i32, Device::cpu));
  return labels;
}
}  // namespace

TEST_CASE("gradients of cross_entropy agree with central differences") {
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) { return cross_entropy(ctx, in[0], labels_on(ctx)); }, {{6, 5}},
      {test::normals(30, 1)});
}

TEST_CASE("cross_entropy hands out each sample's loss and hit, and is the mean of the losses") {
  test::Bench bench(Device::cpu, DType::f64);
  const Tensor logits = bench.normal({6, 5}, DType::f64, 4);
  Tensor each = bench.ctx.empty({6}, DType::f64), hits = bench.ctx.empty({6}, DType::f64);
  const double mean = bench.ctx.to_host(cross_entropy(bench.ctx, logits, labels_on(bench.ctx), each, hits))[0];
  const auto x = bench.ctx.to_host(logits), losses = bench.ctx.to_host(each), right = bench.ctx.to_host(hits);
  double all = 0;
  for (size_t n = 0; n < 6; ++n) {
    double sum = 0, rivals = 0;
    const double truth = x[5 * n + static_cast<size_t>(kLabels[n])];
    for (size_t k = 0; k < 5; ++k) sum += std::exp(x[5 * n + k]), rivals += x[5 * n + k] > truth;
    CHECK(losses[n] == Approx(std::log(sum) - truth).epsilon(1e-13));
    CHECK(right[n] == (rivals == 0 ? 1 : 0));
    all += losses[n] / 6;
  }
  CHECK(mean == Approx(all).epsilon(1e-14));
}
