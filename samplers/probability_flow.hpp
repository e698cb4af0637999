#pragma once

#include "samplers/score.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ascore {

/// How probability_flow goes from level to level.
enum class FlowMethod : uint8_t {
  euler,  ///< along the direction at the upper level: error of order 1 in the step, one evaluation per level
  heun,   ///< along the mean of the directions at both levels: order 2, two evaluations per level
};

/// Levels that the error of the flow is spread over evenly (Karras et al. 2022, arXiv:2206.00364, equation 5, rho = 7):
/// `count` of them from `begin` down to `end`, both exact; one level is `begin` alone. Throws ConfigError unless
/// begin > end > 0 and count >= 1.
std::vector<double> flow_levels(double begin, double end, int count);

/// Follows the probability flow dx/dsigma = -sigma score(x, sigma) down `sigmas`, and from the last of them to 0 by one
/// Euler step, which is the denoising step. There is no noise but that of the start: `x` [N,...], f32 or f64, holds
/// noise sigma_1 (prior_start) and is overwritten. `plain` is the sample at the last level, `denoised` the one at 0.
/// The observer hears of every level reached, and of x there. Evaluates the score sigmas.size() times (euler) or 2
/// sigmas.size() - 1 times (heun). Throws ConfigError without levels.
Samples probability_flow(Ctx& ctx, const ScoreFn& score, std::span<const double> sigmas, FlowMethod method, Tensor x,
                         const StepObserver& observe = {});

}  // namespace ascore
