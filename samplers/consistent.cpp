#include "samplers/consistent.hpp"

#include "kernels/core/error.hpp"
#include "kernels/scaled_add/scaled_add.hpp"
#include "samplers/annealing_steps.hpp"
#include "samplers/schedule.hpp"

#include <cmath>
#include <vector>

namespace ascore {

namespace {

/// Noise that fills the sample up to sigma' after a step of weight eta left (1 - eta) sigma in it: beta sigma'.
double consistent_noise(double eta, double sigma, double next) {
  return std::sqrt(next * next - (1 - eta) * (1 - eta) * sigma * sigma);
}

std::vector<AnnealingStep> steps_before_last(std::span<const double> sigmas, double eta) {
  std::vector<AnnealingStep> steps;
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const double sigma = sigmas[i];
    steps.push_back(
        {.sigma = sigma, .direction = eta * sigma * sigma, .after = consistent_noise(eta, sigma, sigmas[i + 1])});
  }
  return steps;
}

}  // namespace

Samples consistent_annealed(Ctx& ctx, const ScoreFn& score, std::span<const double> sigmas, double eta, Tensor x,
                            const NoiseSource& noise, const StepObserver& observe, const StateEdit& edit,
                            bool replayed) {
  if (sigmas.empty()) throw ConfigError("consistent sampling: no noise levels");
  require_valid_step(sigmas, eta * sigmas.back() * sigmas.back());
  Tensor denoised;
  size_t first = 0;
  if (replayed && !edit && AnnealingSteps::possible(x.device(), noise)) {
    const std::vector<AnnealingStep> all = steps_before_last(sigmas, eta);
    AnnealingSteps steps(ctx, score, all, noise, x);
    for (; first < all.size(); ++first) {
      steps.next(ctx);
      if (observe) observe(first, x);
    }
  }
  for (size_t i = first; i < sigmas.size(); ++i) {
    const double sigma = sigmas[i];
    const bool last = i + 1 == sigmas.size();
    const uint32_t number = static_cast<uint32_t>(i);
    if (edit) edit(ctx, x, sigma, number);
    const Tensor direction = score(ctx, x, sigma);
    if (last) {
      denoised = ctx.empty_like(x);
      kernels::scaled_add(ctx.stream, 1.0, x, sigma * sigma, direction, denoised);
    }
    const double spread = last ? 0.0 : consistent_noise(eta, sigma, sigmas[i + 1]);
    noise.update(ctx, x, direction, eta * sigma * sigma, spread, number);
    if (observe) observe(i, x);
  }
  return {.plain = x, .denoised = denoised};
}

}  // namespace ascore
