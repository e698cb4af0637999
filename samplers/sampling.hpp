#pragma once

#include "samplers/initial_state.hpp"
#include "samplers/noise_source.hpp"
#include "samplers/schedule.hpp"
#include "samplers/score.hpp"

#include <optional>
#include <vector>

namespace ascore {

/// Recipe table [sampling].
struct SamplingConfig {
  SamplerKind sampler = SamplerKind::cas;
  int n_sigma = 1;
  int flow_steps = 18;                   ///< flow_euler, flow_heun: levels
  std::optional<double> step_size = {};  ///< absent: default_step_size
  Start init = Start::uniform;
  bool noise_first = false;  ///< als only
};

/// A sampler with everything decided: what it walks down, and how far per step.
struct SamplingPlan {
  SamplerKind sampler = SamplerKind::cas;
  std::vector<double> sigmas;
  int n_sigma = 1;
  double step_size = 0;  ///< none in a flow
  bool noise_first = false;
  bool replayed = false;  ///< cas, als: steps are captured once and replayed, where device, noise and edit allow it

  /// Score evaluations per sample.
  size_t evaluations() const;
};

/// Throws ConfigError where the settings make no sense: for CAS also if the step size lies outside its interval, for a
/// flow if it does not start from `prior` or is given a step size or n_sigma.
SamplingPlan make_plan(const SamplingConfig& config, const NoiseConfig& noise);

/// Runs the plan's sampler from `x`, which is overwritten. Throws ConfigError for a flow with an edit: what is put into
/// the sample on its way leaves the flow.
Samples run_sampler(Ctx& ctx, const SamplingPlan& plan, const ScoreFn& score, Tensor x, const NoiseSource& noise,
                    const StepObserver& observe = {}, const StateEdit& edit = {});

}  // namespace ascore
