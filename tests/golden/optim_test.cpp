#include "engine/optim/optimizer.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/golden.hpp"

#include <nlohmann/json.hpp>

using namespace ascore;

namespace {

constexpr int64_t kSteps = 5, kCount = 67;

/// A run's settings as the file's metadata give them: what they leave out has PyTorch's defaults.
OptimizerConfig config_of(const nlohmann::json& settings) {
  OptimizerConfig config{.name = "adam", .beta1 = 0.9, .beta2 = 0.999};
  for (const auto& [key, value] : settings.items()) {
    if (key == "optimizer") {
      config.name = value == "SGD" ? "sgd" : "rmsprop";
    } else if (key == "beta1" || key == "adv_beta1") {
      config.beta1 = value;
    } else if (key == "beta2" || key == "adv_beta2") {
      config.beta2 = value;
    } else if (key == "lr") {
      config.lr = value;
    } else if (key == "eps") {
      config.eps = value;
    } else if (key == "weight_decay") {
      config.weight_decay = value;
    } else if (key == "amsgrad") {
      config.amsgrad = value;
    } else {
      FAIL("unknown setting " + key);
    }
  }
  if (config.name == "sgd") config.momentum = 0.9;
  return config;
}

struct Trajectory {
  std::vector<double> parameters, average;  ///< [5,67]: after every step
};

Trajectory run(test::GoldenFile& golden, const OptimizerConfig& config, DType dtype) {
  test::Bench bench(Device::cpu, dtype);
  const Tensor p = bench.ctx.from_host(golden.values("p0"), {kCount}, dtype);
  const Tensor ema = bench.ctx.from_host(golden.values("p0"), {kCount}, dtype);
  const Tensor gradients = bench.ctx.from_host(golden.values("grads"), {kSteps, kCount}, dtype);
  const auto optimizer = make_optimizer(config, bench.ctx, p);
  Trajectory result;
  const auto append = [&](std::vector<double>& to, const Tensor& x) {
    const auto values = bench.ctx.to_host(x);
    to.insert(to.end(), values.begin(), values.end());
  };
  for (int64_t k = 0; k < kSteps; ++k) {
    optimizer->step(bench.ctx, p, gradients.rows(k, k + 1), ema, 0.999);
    append(result.parameters, p);
    append(result.average, ema);
  }
  return result;
}

}  // namespace

TEST_CASE("all optimizers and the average agree with the original implementation") {
  const auto dtype = GENERATE(DType::f64, DType::f32);
  CAPTURE(name(dtype));
  const double tolerance = dtype == DType::f64 ? 1e-12 : 1e-5;
  test::GoldenFile golden("optim");
  const auto settings = nlohmann::json::parse(golden.metadata("settings"));
  for (const auto& [name, setting] : settings.items()) {
    INFO(name);
    const Trajectory ours = run(golden, config_of(setting[1]), dtype);
    CHECK(test::max_relative_error(ours.parameters, golden.values(name)) <= tolerance);
    if (name == "adam_default") {
      CHECK(test::max_relative_error(ours.average, golden.values("ema_0.999")) <= tolerance);
    }
  }
  golden.check_all_used();
}
