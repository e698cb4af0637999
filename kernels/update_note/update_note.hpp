#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <array>

namespace ascore::kernels {

/// Losses that a training update computed: one element each, all f32 or all f64 (cpu); absent ones stand for 0.
using UpdateLosses = std::array<ConstView, 3>;

/// Writes down what an update of a training step computed, and whether training may go on, so that the host need not
/// look before the parameters move: unless halt[0] is not 0 already,
///
///   numbers <- {losses[0], losses[1], losses[2], bad[0]}
///   halt    <- {player, draw[0]}   if one of the losses is not finite, or bad[0] is not 0
///
///   bad      [1]  i32, how many elements of the gradients are not finite (count_nonfinite)
///   draw     [1]  f64, which update of its kind this is
///   player        whose update, not 0
///   numbers  [4]  f64
///   halt     [2]  f64, in and out
/// Errors: ShapeError, DTypeError, before anything runs. One warp; no workspace.
void update_note(Stream& stream, const UpdateLosses& losses, ConstView bad, StepScalars draw, double player,
                 View numbers, View halt);

}  // namespace ascore::kernels
