#pragma once

#include "engine/nn/parameters.hpp"
#include "engine/optim/optimizer.hpp"
#include "engine/training/update_record.hpp"

#include <memory>
#include <optional>
#include <string_view>

namespace ascore {

/// What training keeps for one network: its parameters, their gradients, the optimizer and, for a score network, the
/// exponential moving average of the parameters. The module must outlive it.
class Learner {
 public:
  /// `ema`: decay of the average; absent: none is kept. `dtype` of the parameters: f32, or f64 (cpu).
  Learner(Ctx& ctx, Module& module, const OptimizerConfig& optimizer, std::optional<double> ema, DType dtype);

  /// Starting values of the parameters from `seed` and their names under `root` (see ParameterSet::initialise); the
  /// average starts as their copy.
  void initialise(Ctx& ctx, uint64_t seed, std::string_view root = {});
  /// The average becomes a copy of the parameters. Call after parameters were loaded from elsewhere.
  void restart_average(Ctx& ctx);

  /// Asks `tape` for the gradients of all parameters; `more`: they are added to those that are there.
  void watch(Tape& tape, bool more = false) const {
    more ? parameters.watch_more(tape, gradients) : parameters.watch(tape, gradients);
  }
  /// Gives the next update its numbers, in device memory: `draw`, which says what random numbers it takes, and those of
  /// the optimizer. Not part of a captured step.
  void begin_update(Ctx& ctx, int64_t draw);
  /// Where the update finds `draw`: f64 [1] (NoiseKey::step_offset).
  StepScalars draw() const { return numbers_.rows(0, 1); }
  /// Queues backward from `loss`, the note of it and of its `parts` in `record`, then one step of the optimizer and of
  /// the average, which changes nothing if the record is halted: if loss or gradients are not finite.
  void minimise(Ctx& ctx, Tape& tape, const Tensor& loss, Player player, const UpdateRecord& record,
                const Tensor& first_part = {}, const Tensor& second_part = {});
  /// The same without backward: the gradients are there.
  void finish_update(Ctx& ctx, const Tensor& loss, Player player, const UpdateRecord& record,
                     const Tensor& first_part = {}, const Tensor& second_part = {});
  /// As if the updates from `draw` on, which changed nothing, had not been.
  void forget_updates(int64_t draw);

  /// While it lives, the module reads the average instead of the parameters (if one is kept).
  class Averaged {
   public:
    explicit Averaged(Learner& learner);
    ~Averaged();
    Averaged(const Averaged&) = delete;
    Averaged& operator=(const Averaged&) = delete;

   private:
    Learner& learner_;
  };

  ParameterSet parameters;
  Tensor gradients;  ///< flat, as the parameters
  std::unique_ptr<Optimizer> optimizer;
  Tensor average;  ///< flat; absent if none is kept
  double decay = 0;

 private:
  Tensor numbers_;  ///< of the current update: draw, then the optimizer's scalars
  int64_t next_draw_ = 0;
};

}  // namespace ascore
