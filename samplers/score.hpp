#pragma once

#include "engine/autograd/context.hpp"

#include <cstddef>
#include <functional>

namespace ascore {

/// What a sampler knows of a model: an estimate of the score grad log p_sigma(x) = s(x)/sigma, of x's shape and dtype.
/// Must not write x.
using ScoreFn = std::function<Tensor(Ctx&, const Tensor& x, double sigma)>;

/// Called after every step with its number, from 0, and the state: previews, trajectories, progress, tests. May be
/// empty.
using StepObserver = std::function<void(size_t step, const Tensor& x)>;

/// What a sampler returns: the state after the last step, and x + sigma^2 score(x) where the score was last asked,
/// which removes the last level's noise.
struct Samples {
  Tensor plain, denoised;
};

}  // namespace ascore
