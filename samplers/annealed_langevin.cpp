#include "samplers/annealed_langevin.hpp"

#include "kernels/core/error.hpp"
#include "kernels/scaled_add/scaled_add.hpp"
#include "samplers/annealing_steps.hpp"

#include <cmath>
#include <vector>

#include <fmt/format.h>

namespace ascore {

namespace {

std::vector<AnnealingStep> langevin_steps(std::span<const double> sigmas, int n_sigma, double step_size,
                                          bool noise_first) {
  std::vector<AnnealingStep> steps;
  for (const double sigma : sigmas) {
    const double relative = sigma / sigmas.back(), a = step_size * relative * relative, spread = std::sqrt(2 * a);
    const AnnealingStep step{
        .sigma = sigma, .before = noise_first ? spread : 0.0, .direction = a, .after = noise_first ? 0.0 : spread};
    steps.insert(steps.end(), static_cast<size_t>(n_sigma), step);
  }
  return steps;
}

}  // namespace

Samples annealed_langevin(Ctx& ctx, const ScoreFn& score, std::span<const double> sigmas, int n_sigma, double step_size,
                          bool noise_first, Tensor x, const NoiseSource& noise, const StepObserver& observe,
                          const StateEdit& edit, bool replayed) {
  if (sigmas.empty()) throw ConfigError("annealed Langevin sampling: no noise levels");
  if (n_sigma < 1) throw ConfigError(fmt::format("n_sigma is {}: at least one step per noise level", n_sigma));
  if (!(step_size > 0)) throw ConfigError(fmt::format("step size {:.6g} is not positive", step_size));
  const std::vector<AnnealingStep> steps = langevin_steps(sigmas, n_sigma, step_size, noise_first);
  Tensor denoised;
  size_t first = 0;
  if (replayed && !edit && AnnealingSteps::possible(x.device(), noise)) {
    AnnealingSteps before_last(ctx, score, std::span(steps).first(steps.size() - 1), noise, x);
    for (; first + 1 < steps.size(); ++first) {
      before_last.next(ctx);
      if (observe) observe(first, x);
    }
  }
  for (size_t step = first; step < steps.size(); ++step) {
    const auto [sigma, before, a, after] = steps[step];
    const uint32_t draw = static_cast<uint32_t>(step);
    if (noise_first) noise.update(ctx, x, {}, 0.0, before, draw);
    if (edit) edit(ctx, x, sigma, draw);
    const Tensor direction = score(ctx, x, sigma);
    if (step + 1 == steps.size()) {
      denoised = ctx.empty_like(x);
      kernels::scaled_add(ctx.stream, 1.0, x, sigma * sigma, direction, denoised);
    }
    noise.update(ctx, x, direction, a, after, draw);
    if (observe) observe(step, x);
  }
  return {.plain = x, .denoised = denoised};
}

}  // namespace ascore
