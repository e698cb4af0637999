#pragma once

#include "samplers/noise_source.hpp"
#include "samplers/score.hpp"

#include <span>

namespace ascore {

/// Annealed Langevin sampling (Song & Ermon 2019, arXiv:1907.05600, algorithm 1). `n_sigma` times per level:
///
///   x <- x + a score(x, sigma) + sqrt(2 a) z,   a = step_size (sigma / sigma_L)^2
///
/// or, with `noise_first`, x <- x + sqrt(2 a) z before the score is asked. `denoised` is x + sigma_L^2 score(x) where
/// the score was last asked; with the noise last, the plain sample still carries the last step's noise. `sigmas`
/// decrease; `x` [N,...], f32 or f64, is overwritten; step k of level i takes draw i n_sigma + k of `noise`. Throws
/// ConfigError unless n_sigma >= 1 and step_size > 0. `replayed` as for consistent_annealed.
Samples annealed_langevin(Ctx& ctx, const ScoreFn& score, std::span<const double> sigmas, int n_sigma, double step_size,
                          bool noise_first, Tensor x, const NoiseSource& noise, const StepObserver& observe = {},
                          const StateEdit& edit = {}, bool replayed = false);

}  // namespace ascore
