#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/nn/pytorch_layout.hpp"
#include "engine/optim/optimizer.hpp"
#include "engine/training/noise_levels.hpp"
#include "kernels/add_scaled_rows/add_scaled_rows.hpp"
#include "models/registry.hpp"
#include "tests/golden/agreement.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace ascore::test {

/// A golden file of kind `dsm`: a score network and its batch, computed anew on the cpu in one dtype and compared.
class GoldenScoreNetwork {
 public:
  GoldenScoreNetwork(const std::string& file, const ScoreNetworkConfig& config, DType dtype)
      : golden_(file), dtype_(dtype), bench_(Device::cpu, dtype), net_(make_score_network(config)) {
    parameters_ = std::make_unique<ParameterSet>(bench_.ctx, *net_, dtype);
    StateDict state;
    for (const std::string& name : golden_.names("param.")) state.emplace(name, golden_.tensor(name));
    check_names(*parameters_, state, "param.");
    from_state_dict(bench_.ctx, *parameters_, parameters_->flat(), state, "param.");
    load_batch();
    std::istringstream null_grads(golden_.metadata("null_grads"));
    for (std::string name; null_grads >> name;) zero_in_exact_arithmetic_.push_back(name);
  }

  /// Everything that the file holds; fails if a tensor of it was left.
  void check_all() {
    check_levels();
    check_forward_and_backward();
    if (golden_.has("adam_losses")) check_adam_steps();
    golden_.check_all_used();
  }

 private:
  static constexpr double kLearningRate = 1e-3;

  void load_batch() {
    clean_ = load("input");
    noise_ = load("z");
    const auto sigmas = golden_.values("sigmas"), labels = golden_.values("labels");
    std::vector<double> levels;
    for (const double label : labels) levels.push_back(sigmas.at(static_cast<size_t>(label)));
    sigma_ = bench_.ctx.from_host(levels, {static_cast<int64_t>(levels.size())}, dtype_);
    noisy_ = bench_.ctx.empty_like(clean_);
    kernels::add_scaled_rows(bench_.stream, clean_, sigma_, noise_, noisy_);
    target_ = scale(bench_.ctx, noise_, -1);
  }
  Tensor load(const std::string& name) {
    const HostTensor x = golden_.channels_last(name);
    return bench_.ctx.from_host(x.to_doubles(), x.shape, dtype_);
  }

  double allowed(const std::string& name, Quantity quantity) {
    return tolerance(dtype_, golden_.tensor(name).dtype, quantity);
  }
  /// A result [N,H,W,C] or [N] or [] against the tensor of that name.
  void check(const std::string& name, const Tensor& value, Quantity quantity) {
    check_agrees(name, bench_.ctx.to_host(value), golden_.values_channels_last(name), allowed(name, quantity));
  }
  void check_gradient(const std::string& name, std::span<const double> values) {
    check_agrees(name, values, golden_.values(name), allowed(name, Quantity::gradient));
  }

  void check_levels() {
    const auto levels = noise_levels(10, 0.01, 20, Spacing::geometric);
    check_agrees("sigmas_f64", levels, golden_.values("sigmas_f64"), 1e-12);
    check_agrees("sigmas", levels, golden_.values("sigmas"), 1e-7);
  }

  void check_forward_and_backward() {
    Ctx& ctx = bench_.ctx;
    check("perturbed", noisy_, Quantity::output);
    check("output_clean", net_->forward(ctx, clean_, {}), Quantity::output);
    Tape tape;
    Ctx training = ctx;
    training.tape = &tape;
    training.training = true;
    gradients_ = parameters_->allocate_like(ctx, MemoryKind::gradients);
    parameters_->watch(tape, gradients_);
    tape.watch(noisy_);  // d noisy / d input is the identity
    const Tensor out = net_->forward(training, noisy_, sigma_);
    const Tensor per_sample = ctx.empty({noisy_.dim(0)}, dtype_);
    const Tensor loss = dsm_loss(training, out, target_, DsmLoss::l2, per_sample);
    tape.backward(training, loss);
    check("output", out, Quantity::output);
    check("denoised", tweedie(ctx, noisy_, out, sigma_), Quantity::output);
    check("loss_per_sample", per_sample, Quantity::loss);
    check("loss", loss, Quantity::loss);
    check("grad_input", tape.gradient(noisy_), Quantity::gradient);
    check_parameter_gradients();
  }

  /// Gradients as the file holds them: in full; as positions, values and sums; or not at all where the loss does not
  /// depend on the parameter.
  void check_parameter_gradients() {
    double largest = 0;
    first_ = to_state_dict(bench_.stream, *parameters_, gradients_);
    for (const auto& [name, value] : first_) largest = std::max(largest, largest_of(value.to_doubles()));
    for (const auto& [name, value] : first_) {
      const std::vector<double> gradient = value.to_doubles();
      const bool full = golden_.has("grad." + name), summed_up = golden_.has("gradstat." + name);
      INFO(name);
      if (std::ranges::count(zero_in_exact_arithmetic_, "grad." + name)) {
        check_is_nothing(name, gradient, largest, full);
      } else if (full) {
        check_gradient("grad." + name, gradient);
      } else if (summed_up) {
        check_gradient("gradval." + name, at_positions(name, gradient));
        check_gradient("gradstat." + name, sums(gradient));
      } else {
        CHECK(largest_of(gradient) == 0);
      }
    }
  }
  std::vector<double> at_positions(const std::string& name, std::span<const double> gradient) {
    std::vector<double> values;
    for (const double at : golden_.values("gradidx." + name)) values.push_back(gradient[static_cast<size_t>(at)]);
    return values;
  }
  static std::vector<double> sums(std::span<const double> gradient) {
    double squares = 0, sum = 0, waves = 0;
    for (size_t i = 0; i < gradient.size(); ++i) {
      squares += gradient[i] * gradient[i];
      sum += gradient[i];
      waves += gradient[i] * std::cos(0.7 * static_cast<double>(i) + 0.3);
    }
    return {std::sqrt(squares), sum, largest_of(gradient), waves};
  }
  static double largest_of(std::span<const double> values) {
    double largest = 0;
    for (const double value : values) largest = std::max(largest, std::abs(value));
    return largest;
  }
  /// A gradient of rounding noise alone, here and in the file, beside the network's largest.
  void check_is_nothing(const std::string& name, std::span<const double> gradient, double largest, bool full) {
    const double noise = (dtype_ == DType::f64 ? 1e-11 : 1e-4) * largest;
    CHECK(largest_of(gradient) <= noise);
    if (full) {
      CHECK(largest_of(golden_.values("grad." + name)) <= 1e-11 * largest);
      return;
    }
    CHECK(golden_.values("gradidx." + name).size() == golden_.values("gradval." + name).size());
    CHECK(largest_of(golden_.values("gradval." + name)) <= 1e-11 * largest);
    CHECK(golden_.values("gradstat." + name).at(2) <= 1e-11 * largest);
  }

  /// Loss and, into `gradients_`, its gradients at the present parameters.
  double loss_and_gradients() {
    Tape tape;
    Ctx ctx = bench_.ctx;
    ctx.tape = &tape;
    ctx.training = true;
    parameters_->watch(tape, gradients_);
    const Tensor loss = dsm_loss(ctx, net_->forward(ctx, noisy_, sigma_), target_, DsmLoss::l2);
    tape.backward(ctx, loss);
    return ctx.to_host(loss)[0];
  }

  void check_adam_steps() {
    const Tensor& flat = parameters_->flat();
    const auto adam =
        make_optimizer({.name = "adam", .lr = kLearningRate, .beta1 = 0, .beta2 = 0.9, .eps = 1e-8}, bench_.ctx, flat);
    std::vector<double> losses;
    for (int step = 1; step <= 3; ++step) {
      losses.push_back(loss_and_gradients());
      adam->step(bench_.ctx, flat, gradients_);
      parameters_->mark_changed();
      if (step == 2) continue;
      const std::string prefix = step == 1 ? "adam1." : "adam3.";
      for (const auto& [name, value] : to_state_dict(bench_.stream, *parameters_, flat)) {
        check_adam_result(prefix, name, value.to_doubles(), step);
      }
    }
    losses.push_back(loss_and_gradients());
    check_agrees("adam_losses", losses, golden_.values("adam_losses"), allowed("adam_losses", Quantity::loss));
  }
  void check_adam_result(const std::string& prefix, const std::string& name, std::span<const double> values, int step) {
    const std::vector<double> reference = golden_.values(prefix + name);
    if (!std::ranges::count(zero_in_exact_arithmetic_, "grad." + name)) {
      check_adam(prefix + name, values, reference, first_.at(name).to_doubles(), kLearningRate, step, dtype_);
      return;
    }
    INFO(prefix << name);  // rounding noise decides the direction of every step
    REQUIRE(values.size() == reference.size());
    for (size_t i = 0; i < values.size(); ++i)
      CHECK(std::abs(values[i] - reference[i]) <= 2.001 * kLearningRate * step);
  }

  GoldenFile golden_;
  DType dtype_;
  Bench bench_;
  std::unique_ptr<ScoreNetwork> net_;
  std::unique_ptr<ParameterSet> parameters_;
  Tensor clean_, noise_, sigma_, noisy_, target_, gradients_;
  StateDict first_;  // gradients before the first step
  std::vector<std::string> zero_in_exact_arithmetic_;
};

}  // namespace ascore::test
