#include "samplers/sampling.hpp"

#include "kernels/core/error.hpp"
#include "samplers/annealed_langevin.hpp"
#include "samplers/consistent.hpp"

#include <fmt/format.h>

namespace ascore {

SamplingPlan make_plan(const SamplingConfig& config, const NoiseConfig& noise) {
  SamplingPlan plan;
  plan.sampler = config.sampler;
  plan.sigmas = sampler_schedule(config.sampler, noise, config.n_sigma);
  plan.n_sigma = config.n_sigma;
  plan.noise_first = config.noise_first;
  plan.step_size =
      config.step_size ? *config.step_size : default_step_size(config.sampler, plan.sigmas, config.n_sigma);
  if (plan.sampler == SamplerKind::cas) {
    require_valid_step(plan.sigmas, plan.step_size);
  } else if (!(plan.step_size > 0)) {
    throw ConfigError(fmt::format("step size {:.6g} is not positive", plan.step_size));
  }
  return plan;
}

Samples run_sampler(Ctx& ctx, const SamplingPlan& plan, const ScoreFn& score, Tensor x, const NoiseSource& noise,
                    const StepObserver& observe) {
  if (plan.sampler == SamplerKind::als) {
    return annealed_langevin(ctx, score, plan.sigmas, plan.n_sigma, plan.step_size, plan.noise_first, x, noise,
                             observe);
  }
  const double last = plan.sigmas.back();
  return consistent_annealed(ctx, score, plan.sigmas, plan.step_size / (last * last), x, noise, observe);
}

}  // namespace ascore
