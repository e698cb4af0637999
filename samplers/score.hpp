#pragma once

#include "engine/autograd/context.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ascore {

/// A noise level, as a score function is given it: a number, or, in a step that is captured and replayed over the
/// levels, a place in device memory where every replay finds its own.
class NoiseLevel {
 public:
  /// Implicit: a level is a number.
  NoiseLevel(double sigma) : value_(sigma) {}
  /// f64 [1] each: sigma, 1/sigma and 1/sigma^2.
  NoiseLevel(StepScalars sigma, StepScalars reciprocal, StepScalars reciprocal_square)
      : sigma_(sigma), reciprocal_(reciprocal), reciprocal_square_(reciprocal_square) {}

  bool replayed() const { return sigma_.present(); }
  /// The number. Throws Error if the level lies in device memory alone.
  double on_host() const;
  operator double() const { return on_host(); }
  /// Absent if the level is a number.
  const StepScalars& sigma() const { return sigma_; }
  const StepScalars& reciprocal() const { return reciprocal_; }
  const StepScalars& reciprocal_square() const { return reciprocal_square_; }

 private:
  double value_ = 0;
  StepScalars sigma_, reciprocal_, reciprocal_square_;
};

/// What a sampler knows of a model: an estimate of the score grad log p_sigma(x) = s(x)/sigma, of x's shape and dtype.
/// Must not write x.
using ScoreFn = std::function<Tensor(Ctx&, const Tensor& x, const NoiseLevel& sigma)>;

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
