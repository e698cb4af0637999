#include "models/dcgan.hpp"

#include "engine/nn/parameters.hpp"
#include "kernels/core/memory.hpp"
#include "tests/engine/training/support.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

#include <cmath>
#include <numeric>

using namespace ascore;

namespace {
using Values = std::vector<double>;

double dot(const Values& a, const Values& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

/// A small critic in f64, in training mode but for spectral norm, whose vectors would move between forwards.
struct Small {
  test::Bench bench{Device::cpu, DType::f64};
  DcganCritic net;
  ParameterSet parameters;
  Tensor x;  // not square

  explicit Small(const std::string& norm)
      : net({.name = "dcgan", .sample_shape = {8, 16, 2}, .width = 3, .norm = norm}),
        parameters(bench.ctx, net, DType::f64),
        x(bench.normal({3, 8, 16, 2}, DType::f64, 4)) {
    parameters.initialise(bench.ctx, 6);
    bench.ctx.training = norm != "spectral_norm";
  }
  Values verdicts() { return bench.ctx.to_host(net.forward(bench.ctx, x)); }
};
}  // namespace

TEST_CASE("the DCGAN critic's gradients agree with central differences", "[models]") {
  Small s(GENERATE("batch_norm", "spectral_norm", "none"));
  const Values weights = test::normals(3, 8);
  const Tensor gradients = s.parameters.allocate_like(s.bench.ctx, MemoryKind::gradients);
  Tape tape;
  Ctx ctx = s.bench.ctx;
  ctx.tape = &tape;
  s.parameters.watch(tape, gradients);
  const Tensor out = s.net.forward(ctx, s.x);
  tape.backward(ctx, out, ctx.from_host(weights, out.shape(), DType::f64));

  const Values at = ctx.to_host(s.parameters.flat()), gradient = ctx.to_host(gradients);
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Values direction = test::normals(at.size(), seed);
    const auto moved = [&](double step) {
      Values values = at;
      for (size_t i = 0; i < values.size(); ++i) values[i] += step * direction[i];
      copy(ctx.stream, s.parameters.flat().view(), ctx.from_host(values, s.parameters.flat().shape(), DType::f64));
      s.parameters.mark_changed();
      return dot(weights, s.verdicts());
    };
    constexpr double kStep = 1e-7;
    const double numeric = (moved(kStep) - moved(-kStep)) / (2 * kStep), wanted = dot(gradient, direction);
    CAPTURE(seed, numeric, wanted);
    CHECK(std::abs(numeric - wanted) < 1e-5 * std::max(std::abs(wanted), std::sqrt(dot(gradient, gradient))));
  }
  copy(ctx.stream, s.parameters.flat().view(), ctx.from_host(at, s.parameters.flat().shape(), DType::f64));
  s.parameters.mark_changed();
  test::check_gradients(
      [&](Ctx& c, const std::vector<Tensor>& in) {
        c.training = s.bench.ctx.training;
        return s.net.forward(c, in[0]);
      },
      {s.x.shape()}, {ctx.to_host(s.x)});
}

TEST_CASE("the DCGAN critic flattens channel by channel, as PyTorch does", "[models]") {
  Small s("none");
  // With the last convolution's weights zero, its outputs are leaky(bias[c]) at every pixel.
  const Parameter* const last = s.parameters.find("model.12.weight");
  REQUIRE(last);
  fill_bytes(s.bench.stream, last->value.view(), 0);
  s.parameters.mark_changed();
  const Values bias = s.bench.ctx.to_host(s.parameters.find("model.12.bias")->value);
  const Values dense = s.bench.ctx.to_host(s.parameters.find("dense.weight")->value);
  double expected = s.bench.ctx.to_host(s.parameters.find("dense.bias")->value)[0];
  const size_t pixels = dense.size() / bias.size();
  CHECK(pixels == 2);
  for (size_t i = 0; i < dense.size(); ++i) {
    const double b = bias[i / pixels];
    expected += dense[i] * (b > 0 ? b : 0.1 * b);
  }
  for (double verdict : s.verdicts()) CHECK(verdict == Approx(expected).epsilon(1e-12));
}

TEST_CASE("a game against the DCGAN critic lowers the held-out loss on digits", "[models]") {
  test::SmallRun run(true, true);
  run.config.training.steps = 30;
  run.config.training.batch_size = 8;
  run.config.training.held_out_samples = 32;
  run.config.adversarial->critic_steps = 1;
  Stream stream(Device::cpu, {.threads = 1});
  const auto allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  const auto network = make_score_network({.name = "ncsnv2", .sample_shape = run.data->sample_shape(), .width = 4});
  const auto critic = make_critic({.name = "dcgan",
                                   .sample_shape = run.data->sample_shape(),
                                   .width = 4,
                                   .norm = GENERATE("batch_norm", "spectral_norm", "none")});
  Trainer trainer(ctx, run.config, *network, critic.get(), *run.data, {});
  const Values weights = ctx.to_host(critic->parameters().front()->value);
  const double before = trainer.held_out_loss().mean;
  const std::atomic<bool> never = false;
  CHECK(trainer.run(never, {}) == TrainingEnd::finished);
  CHECK(trainer.held_out_loss().mean < 0.85 * before);
  CHECK(test::relative_error(ctx.to_host(critic->parameters().front()->value), weights) > 1e-2);
}
