#pragma once

#include "engine/autograd/context.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ascore {

/// What a sampler knows of a model: an estimate of the score grad log p_sigma(x) = s(x)/sigma, of x's shape and dtype.
/// Must not write x.
using ScoreFn = std::function<Tensor(Ctx&, const Tensor& x, double sigma)>;

/// Called after every step with its number, from 0, and the state: previews, trajectories, progress, tests. May be
/// empty.
using StepObserver = std::function<void(size_t step, const Tensor& x)>;

/// Called before evaluation `evaluation` of the score, from 0, at level sigma: may change x (inpainting). May be empty.
using StateEdit = std::function<void(Ctx&, const Tensor& x, double sigma, uint32_t evaluation)>;

/// What a sampler returns: the state after the last step, and x + sigma^2 score(x) where the score was last asked,
/// which removes the last level's noise.
struct Samples {
  Tensor plain, denoised;
};

}  // namespace ascore
