#include "samplers/sampling.hpp"

#include "kernels/core/error.hpp"
#include "samplers/annealed_langevin.hpp"
#include "samplers/consistent.hpp"
#include "samplers/probability_flow.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {

SamplingPlan flow_plan(const SamplingConfig& config, const NoiseConfig& noise) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw ConfigError(fmt::format("sampler {}: {}", name(config.sampler), what));
  };
  require(config.init == Start::prior,
          fmt::format("starts from prior, not from {}: nothing else puts noise into the sample", name(config.init)));
  require(!config.step_size, "takes no step size; flow_steps says how fine its steps are");
  require(config.n_sigma == 1, "takes no n_sigma; flow_steps says how fine its steps are");
  SamplingPlan plan;
  plan.sampler = config.sampler;
  plan.sigmas = flow_levels(noise.sigma_begin, noise.sigma_end, config.flow_steps);
  return plan;
}

}  // namespace

size_t SamplingPlan::evaluations() const {
  switch (sampler) {
    case SamplerKind::als:
      return sigmas.size() * static_cast<size_t>(n_sigma);
    case SamplerKind::flow_heun:
      return 2 * sigmas.size() - 1;
    default:
      return sigmas.size();
  }
}

SamplingPlan make_plan(const SamplingConfig& config, const NoiseConfig& noise) {
  if (is_flow(config.sampler)) return flow_plan(config, noise);
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
                    const StepObserver& observe, const StateEdit& edit) {
  if (is_flow(plan.sampler)) {
    if (edit) throw ConfigError(fmt::format("sampler {}: cannot inpaint; use cas or als", name(plan.sampler)));
    const FlowMethod method = plan.sampler == SamplerKind::flow_heun ? FlowMethod::heun : FlowMethod::euler;
    return probability_flow(ctx, score, plan.sigmas, method, x, observe);
  }
  if (plan.sampler == SamplerKind::als) {
    return annealed_langevin(ctx, score, plan.sigmas, plan.n_sigma, plan.step_size, plan.noise_first, x, noise, observe,
                             edit, plan.replayed);
  }
  const double last = plan.sigmas.back();
  return consistent_annealed(ctx, score, plan.sigmas, plan.step_size / (last * last), x, noise, observe, edit,
                             plan.replayed);
}

}  // namespace ascore
