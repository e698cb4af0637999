#include "samplers/annealed_langevin.hpp"

#include "kernels/core/error.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

Samples annealed_langevin(Ctx& ctx, const ScoreFn& score, std::span<const double> sigmas, int n_sigma, double step_size,
                          bool noise_first, Tensor x, const NoiseSource& noise, const StepObserver& observe,
                          const StateEdit& edit) {
  if (sigmas.empty()) throw ConfigError("annealed Langevin sampling: no noise levels");
  if (n_sigma < 1) throw ConfigError(fmt::format("n_sigma is {}: at least one step per noise level", n_sigma));
  if (!(step_size > 0)) throw ConfigError(fmt::format("step size {:.6g} is not positive", step_size));
  const size_t per_level = static_cast<size_t>(n_sigma), steps = sigmas.size() * per_level;
  Tensor denoised;
  for (size_t step = 0; step < steps; ++step) {
    const double sigma = sigmas[step / per_level], relative = sigma / sigmas.back();
    const double a = step_size * relative * relative, spread = std::sqrt(2 * a);
    const uint32_t draw = static_cast<uint32_t>(step);
    if (noise_first) noise.update(ctx, x, {}, 0.0, spread, draw);
    if (edit) edit(ctx, x, sigma, draw);
    const Tensor direction = score(ctx, x, sigma);
    if (step + 1 == steps) {
      denoised = ctx.empty_like(x);
      kernels::scaled_add(ctx.stream, 1.0, x, sigma * sigma, direction, denoised);
    }
    noise.update(ctx, x, direction, a, noise_first ? 0.0 : spread, draw);
    if (observe) observe(step, x);
  }
  return {.plain = x, .denoised = denoised};
}

}  // namespace ascore
