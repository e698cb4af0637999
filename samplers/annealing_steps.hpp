#pragma once

#include "engine/training/replayed_step.hpp"
#include "samplers/noise_source.hpp"
#include "samplers/score.hpp"

#include <span>

namespace ascore {

/// One step of an annealing sampler:  x <- x + before z;  x <- x + direction score(x, sigma) + after z'.
struct AnnealingStep {
  double sigma = 0, before = 0, direction = 0, after = 0;
};

/// Steps of an annealing sampler whose numbers lie in device memory, all levels' at once: a step finds its own there
/// and leaves the place of the next one, so that one captured step is replayed down the levels (ReplayedStep). Draws of
/// step i are draw number i of `key`.
class AnnealingSteps {
 public:
  /// True if these can be taken from such a source: it is a key, and the device can capture.
  static bool possible(Device device, const NoiseSource& noise);

  /// `x` [N,...], f32, is moved in place. The score function is asked for levels that lie in device memory alone.
  AnnealingSteps(Ctx& ctx, const ScoreFn& score, std::span<const AnnealingStep> steps, const NoiseSource& noise,
                 Tensor x);
  /// Takes the next step.
  void next(Ctx& ctx);

 private:
  /// Columns of the table.
  enum Column : int64_t { kSigma, kReciprocal, kReciprocalSquare, kNothing, kBefore, kDirection, kAfter, kDraw, kAll };
  StepScalars column(int64_t first, int64_t count = 1) const { return row_.rows(first, first + count); }
  void queue(Ctx& ctx) const;

  const ScoreFn& score_;
  NoiseKey key_;
  bool noise_before_;
  Tensor x_, table_, position_, row_;
  ArenaAllocator arena_;
  ReplayedStep step_;
};

}  // namespace ascore
