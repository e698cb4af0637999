#pragma once

#include "samplers/noise_source.hpp"
#include "samplers/score.hpp"

#include <span>

namespace ascore {

/// Consistent Annealed Sampling (Jolicoeur-Martineau et al. 2021, arXiv:2009.05475, algorithm 2). Per level:
///
///   x <- x + eta sigma^2 score(x, sigma) [+ beta sigma' z, but after the last],   beta^2 = 1 - ((1 - eta) / gamma)^2
///
/// with gamma = sigma' / sigma, so that x holds the next level's noise sigma' (exactly, for an exact score). `denoised`
/// is x + sigma^2 score where the score was last asked. `sigmas` decrease; eta = step size / sigma_L^2; `x` [N,...],
/// f32 or f64, holds noise sigma_1 and is overwritten; level t takes draw t of `noise`. Throws ConfigError, before
/// anything runs, naming the interval of step sizes at which every level's noise can be reached, unless eta lies in it.
/// `replayed`: all steps but the last as AnnealingSteps, if there is no edit and the device and the noise allow it; the
/// samples have the same bits.
Samples consistent_annealed(Ctx& ctx, const ScoreFn& score, std::span<const double> sigmas, double eta, Tensor x,
                            const NoiseSource& noise, const StepObserver& observe = {}, const StateEdit& edit = {},
                            bool replayed = false);

}  // namespace ascore
