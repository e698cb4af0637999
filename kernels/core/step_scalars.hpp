#pragma once

#include "kernels/core/view.hpp"

#include <cstdint>

namespace ascore {

/// Scalars that change from step to step (step sizes, bias corrections, the Philox step), as an f64 view in the memory
/// of the device: kernels read them there, so that a step can be captured once and replayed. What each element means is
/// said by the operation that takes them. f64, because a coefficient of a long annealing must not lose digits.
using StepScalars = ConstView;

/// Which random numbers to draw (kernels/core/philox.hpp). Row n of a batch belongs to sample `first_sample + n`; a
/// draw is a pure function of these, `step` and the element's index inside its sample.
struct NoiseKey {
  uint64_t seed = 0;
  uint32_t stream = 0;        ///< which use of randomness: see RandomStream in engine/training and samplers
  uint64_t first_sample = 0;  ///< index of the sample in row 0
  uint32_t step = 0;          ///< changes with every draw of the same stream
  /// Added to `step` where the numbers are drawn: one f64 in the memory of the device, so that a captured step draws
  /// other numbers whenever it is replayed; null: nothing is added.
  const double* step_offset = nullptr;

  /// `step_offset` as an argument of an operation (OpScope) on `device`; absent if there is none.
  StepScalars offset_view(Device device) const {
    return step_offset ? StepScalars(step_offset, Shape{1}, DType::f64, device) : StepScalars();
  }
  NoiseKey at_step(uint32_t s) const {
    NoiseKey key = *this;
    key.step = s;
    return key;
  }
  NoiseKey with_stream(uint32_t s) const {
    NoiseKey key = *this;
    key.stream = s;
    return key;
  }
};

}  // namespace ascore
