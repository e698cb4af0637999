#pragma once

#include "engine/autograd/context.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ascore {

/// What a recipe's `optimizer` table says. Values that the chosen optimizer does not use keep their defaults.
struct OptimizerConfig {
  std::string name = "adam";  ///< adam, rmsprop, sgd
  double lr = 1e-4;
  double beta1 = 0, beta2 = 0.9;  ///< adam; beta1 may be negative: any value in (-1, 1)
  double eps = 1e-8;              ///< adam, rmsprop; outside the root
  double weight_decay = 0;        ///< added to the gradient
  double momentum = 0;            ///< sgd
  double alpha = 0.99;            ///< rmsprop
  bool amsgrad = false;           ///< adam: divide by the largest (uncorrected) second moment so far
};

/// Moves flat parameters along flat gradients. One step is one kernel over the whole buffer.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  /// parameters <- one step along `gradients`; all flat, of the count and dtype the optimizer was made for. `ema`, if
  /// present, then follows the new parameters: ema <- ema_decay ema + (1 - ema_decay) parameters, in the same pass; it
  /// starts as a copy of the parameters, made by the caller. Call ParameterSet::mark_changed afterwards.
  void step(Ctx& ctx, const Tensor& parameters, const Tensor& gradients, const Tensor& ema = {}, double ema_decay = 0) {
    apply(ctx, parameters, gradients, ema, ema_decay, ctx.scalars(next_scalars()), {});
  }

  /// The two halves of `step`, so that the second can be captured and replayed. Counts a step, and tells the numbers
  /// that it takes: `scalar_count` of them.
  virtual std::vector<double> next_scalars() = 0;
  virtual int64_t scalar_count() const { return 1; }
  /// Queues the step with its numbers in device memory (f64 [scalar_count]); `halted` [1], if given, not 0 when its
  /// turn comes: nothing changes.
  virtual void apply(Ctx& ctx, const Tensor& parameters, const Tensor& gradients, const Tensor& ema, double ema_decay,
                     StepScalars scalars, StepScalars halted) const = 0;

  /// The tensors that a checkpoint keeps, by name (Adam: exp_avg, exp_avg_sq, with amsgrad max_exp_avg_sq). Handles to
  /// the live memory: copy into them to restore.
  virtual std::map<std::string, Tensor> state() const = 0;

  /// Steps taken so far: the t of Adam's bias corrections. Kept by checkpoints, restored by set_steps.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 protected:
  int64_t steps_ = 0;
};

/// Throws ConfigError (naming what is known, or the allowed range) unless `config` makes sense.
void check(const OptimizerConfig& config);

/// An optimizer with zeroed state for parameters like `flat_parameters` (f32; f64 on cpu). Throws ConfigError.
std::unique_ptr<Optimizer> make_optimizer(const OptimizerConfig& config, Ctx& ctx, const Tensor& flat_parameters);

}  // namespace ascore
