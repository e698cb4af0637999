#include "engine/optim/optimizer.hpp"

#include "kernels/adam/adam.hpp"
#include "kernels/core/error.hpp"
#include "kernels/rmsprop/rmsprop.hpp"
#include "kernels/sgd/sgd.hpp"

#include <cmath>
#include <string_view>

#include <fmt/format.h>

namespace ascore {

namespace {

Tensor zeroed(Ctx& ctx, const Tensor& like) {
  return ctx.zeros(like.shape(), like.dtype(), MemoryKind::optimizer);
}

class Adam final : public Optimizer {
 public:
  Adam(const OptimizerConfig& config, Ctx& ctx, const Tensor& flat)
      : lr_(config.lr),
        options_{.beta1 = config.beta1, .beta2 = config.beta2, .eps = config.eps, .weight_decay = config.weight_decay},
        m_(zeroed(ctx, flat)),
        v_(zeroed(ctx, flat)) {
    if (config.amsgrad) v_max_ = zeroed(ctx, flat);
  }

  std::vector<double> next_scalars() override {
    const double t = static_cast<double>(++steps_);
    return {lr_ / (1 - std::pow(options_.beta1, t)), 1 / std::sqrt(1 - std::pow(options_.beta2, t))};
  }
  int64_t scalar_count() const override { return 2; }

  void apply(Ctx& ctx, const Tensor& parameters, const Tensor& gradients, const Tensor& ema, double ema_decay,
             StepScalars scalars, StepScalars halted) const override {
    kernels::adam(ctx.stream, parameters.view(), gradients, m_.view(), v_.view(), v_max_.view(), ema.view(), ema_decay,
                  scalars, options_, halted);
  }

  std::map<std::string, Tensor> state() const override {
    std::map<std::string, Tensor> tensors{{"exp_avg", m_}, {"exp_avg_sq", v_}};
    if (v_max_) tensors.emplace("max_exp_avg_sq", v_max_);
    return tensors;
  }

 private:
  double lr_;
  kernels::AdamOptions options_;
  Tensor m_, v_, v_max_;
};

class Rmsprop final : public Optimizer {
 public:
  Rmsprop(const OptimizerConfig& config, Ctx& ctx, const Tensor& flat)
      : lr_(config.lr),
        options_{.alpha = config.alpha, .eps = config.eps, .weight_decay = config.weight_decay},
        v_(zeroed(ctx, flat)) {}

  std::vector<double> next_scalars() override {
    ++steps_;
    return {lr_};
  }

  void apply(Ctx& ctx, const Tensor& parameters, const Tensor& gradients, const Tensor& ema, double ema_decay,
             StepScalars scalars, StepScalars halted) const override {
    kernels::rmsprop(ctx.stream, parameters.view(), gradients, v_.view(), ema.view(), ema_decay, scalars, options_,
                     halted);
  }

  std::map<std::string, Tensor> state() const override { return {{"square_avg", v_}}; }

 private:
  double lr_;
  kernels::RmspropOptions options_;
  Tensor v_;
};

class Sgd final : public Optimizer {
 public:
  Sgd(const OptimizerConfig& config, Ctx& ctx, const Tensor& flat)
      : lr_(config.lr),
        options_{.momentum = config.momentum, .weight_decay = config.weight_decay},
        b_(zeroed(ctx, flat)) {}

  std::vector<double> next_scalars() override {
    ++steps_;
    return {lr_};
  }

  void apply(Ctx& ctx, const Tensor& parameters, const Tensor& gradients, const Tensor& ema, double ema_decay,
             StepScalars scalars, StepScalars halted) const override {
    kernels::sgd(ctx.stream, parameters.view(), gradients, b_.view(), ema.view(), ema_decay, scalars, options_, halted);
  }

  std::map<std::string, Tensor> state() const override { return {{"momentum_buffer", b_}}; }

 private:
  double lr_;
  kernels::SgdOptions options_;
  Tensor b_;
};

void require(bool holds, const OptimizerConfig& config, std::string_view key, double value, std::string_view rule) {
  if (!holds) throw ConfigError(fmt::format("optimizer {}: {} = {} {}", config.name, key, value, rule));
}

}  // namespace

void check(const OptimizerConfig& config) {
  const bool adam = config.name == "adam", rmsprop = config.name == "rmsprop", sgd = config.name == "sgd";
  if (!adam && !rmsprop && !sgd) {
    throw ConfigError(fmt::format("optimizer \"{}\" is unknown; known are adam, rmsprop, sgd", config.name));
  }
  const auto in = [](double value, double low, double high) { return value >= low && value < high; };
  require(std::isfinite(config.lr) && config.lr > 0, config, "lr", config.lr, "must be positive");
  require(std::isfinite(config.eps) && config.eps >= 0, config, "eps", config.eps, "must not be negative");
  require(std::isfinite(config.weight_decay) && config.weight_decay >= 0, config, "weight_decay", config.weight_decay,
          "must not be negative");
  require(config.beta1 > -1 && config.beta1 < 1, config, "beta1", config.beta1, "must lie inside (-1, 1)");
  require(in(config.beta2, 0, 1), config, "beta2", config.beta2, "must lie in [0, 1)");
  require(in(config.alpha, 0, 1), config, "alpha", config.alpha, "must lie in [0, 1)");
  require(in(config.momentum, 0, 1), config, "momentum", config.momentum, "must lie in [0, 1)");
  require(sgd || config.momentum == 0, config, "momentum", config.momentum, "applies to sgd only");
  require(adam || !config.amsgrad, config, "amsgrad", config.amsgrad, "applies to adam only");
}

std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, Ctx& ctx, const Tensor& flat_parameters) {
  check(config);
  if (config.name == "adam") return std::make_unique<Adam>(config, ctx, flat_parameters);
  if (config.name == "rmsprop") return std::make_unique<Rmsprop>(config, ctx, flat_parameters);
  return std::make_unique<Sgd>(config, ctx, flat_parameters);
}

}  // namespace ascore
