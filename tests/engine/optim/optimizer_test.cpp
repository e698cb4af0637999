#include "engine/optim/optimizer.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

std::vector<std::string> names(const Optimizer& optimizer) {
  std::vector<std::string> result;
  for (const auto& [name, tensor] : optimizer.state()) result.push_back(name);
  return result;
}

OptimizerConfig config_of(const std::string& name) {
  OptimizerConfig config{.name = name, .lr = 0.01};
  if (name == "adam") config.beta1 = -0.5;
  if (name == "adam") config.amsgrad = true;
  if (name == "sgd") config.momentum = 0.9;
  return config;
}

}  // namespace

TEST_CASE("make_optimizer names what it knows and refuses values that make no sense") {
  test::Bench bench(Device::cpu);
  const Tensor flat = bench.normal({8}, DType::f32, 1);
  const auto make = [&](const OptimizerConfig& config) { make_optimizer(config, bench.ctx, flat); };
  CHECK_THROWS_WITH(make({.name = "lion"}), Catch::Contains("adam, rmsprop, sgd"));
  CHECK_THROWS_AS(make({.lr = 0}), ConfigError);
  CHECK_THROWS_AS(make({.lr = std::nan("")}), ConfigError);
  CHECK_THROWS_AS(make({.beta1 = -1}), ConfigError);
  CHECK_THROWS_AS(make({.beta1 = 1}), ConfigError);
  CHECK_THROWS_AS(make({.beta2 = 1}), ConfigError);
  CHECK_THROWS_AS(make({.beta2 = -0.1}), ConfigError);
  CHECK_THROWS_AS(make({.eps = -1}), ConfigError);
  CHECK_THROWS_AS(make({.weight_decay = -1}), ConfigError);
  CHECK_THROWS_WITH(make({.momentum = 0.9}), Catch::Contains("sgd only"));
  CHECK_THROWS_WITH(make({.name = "sgd", .amsgrad = true}), Catch::Contains("adam only"));
  CHECK_NOTHROW(make({.beta1 = -0.99}));
}

TEST_CASE("optimizers name their state as checkpoints keep it, zero at first") {
  test::Bench bench(Device::cpu);
  const Tensor flat = bench.normal({8}, DType::f32, 1);
  using Names = std::vector<std::string>;
  CHECK(names(*make_optimizer({}, bench.ctx, flat)) == Names{"exp_avg", "exp_avg_sq"});
  CHECK(names(*make_optimizer({.amsgrad = true}, bench.ctx, flat)) == Names{"exp_avg", "exp_avg_sq", "max_exp_avg_sq"});
  CHECK(names(*make_optimizer({.name = "rmsprop"}, bench.ctx, flat)) == Names{"square_avg"});
  const auto sgd = make_optimizer({.name = "sgd"}, bench.ctx, flat);
  CHECK(names(*sgd) == Names{"momentum_buffer"});
  CHECK(sgd->steps() == 0);
  CHECK(bench.ctx.to_host(sgd->state().at("momentum_buffer")) == std::vector<double>(8, 0.0));
}

TEST_CASE("an optimizer restored from state and step count continues with the same bits") {
  const std::string name = GENERATE("adam", "rmsprop", "sgd");
  CAPTURE(name);
  const OptimizerConfig config = config_of(name);
  test::Bench bench(Device::cpu);
  const auto start = test::normals(100, 1);
  const auto gradient = [&](uint64_t step) { return bench.normal({100}, DType::f32, 10 + step); };

  const Tensor p = bench.ctx.from_host(start, {100}, DType::f32), ema = bench.ctx.from_host(start, {100}, DType::f32);
  const auto optimizer = make_optimizer(config, bench.ctx, p);
  for (uint64_t k = 0; k < 2; ++k) optimizer->step(bench.ctx, p, gradient(k), ema, 0.9);

  const Tensor p2 = bench.ctx.from_host(bench.ctx.to_host(p), {100}, DType::f32);
  const Tensor ema2 = bench.ctx.from_host(bench.ctx.to_host(ema), {100}, DType::f32);
  const auto resumed = make_optimizer(config, bench.ctx, p2);
  const auto saved = optimizer->state();
  for (const auto& [key, tensor] : resumed->state()) copy(bench.stream, tensor.view(), saved.at(key));
  resumed->set_steps(optimizer->steps());

  for (uint64_t k = 2; k < 4; ++k) {
    optimizer->step(bench.ctx, p, gradient(k), ema, 0.9);
    resumed->step(bench.ctx, p2, gradient(k), ema2, 0.9);
  }
  CHECK(resumed->steps() == 4);
  CHECK(bench.ctx.to_host(p2) == bench.ctx.to_host(p));
  CHECK(bench.ctx.to_host(ema2) == bench.ctx.to_host(ema));
  CHECK(bench.ctx.to_host(p) != start);
}

TEST_CASE("every optimizer finds the minimum of a quadratic, Adam with negative momentum too") {
  const std::string name = GENERATE("adam", "rmsprop", "sgd");
  CAPTURE(name);
  test::Bench bench(Device::cpu, DType::f64);
  const Tensor p = bench.normal({32}, DType::f64, 1);
  const auto optimizer = make_optimizer(config_of(name), bench.ctx, p);
  for (int k = 0; k < 1000; ++k) {
    const Tensor gradient = bench.ctx.from_host(bench.ctx.to_host(p), {32}, DType::f64);
    optimizer->step(bench.ctx, p, gradient);
  }
  for (double value : bench.ctx.to_host(p)) CHECK(std::abs(value) < 0.05);
}
