#pragma once

#include "kernels/core/step_scalars.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// Numbers of a step that is replayed: row <- table[position[0]], and position[0] <- position[0] + 1 afterwards, so
/// that every replay finds the next row. Beyond the last row it stays at the last one.
///
///   table      [L,K]  f64, L >= 1, K at most 32
///   position   [1]    f64, in and out
///   row        [K]    f64
/// Errors: ShapeError, DTypeError, before anything runs. One warp; no workspace.
void next_row(Stream& stream, StepScalars table, View position, View row);

/// y = value[0] in every element.
///
///   value   [1]       f64, in memory of the device
///   y       [N,...]   f32, f64 (cpu only)
/// Errors: ShapeError, DTypeError, before anything runs; empty y: no-op. Cost: one write; no workspace.
void fill_with(Stream& stream, StepScalars value, View y);

/// y = factor[0] x, with the bits of affine(x, factor, 0).
///
///   factor   [1]       f64, in memory of the device
///   x, y     [N,...]   one shape; f32, f64 (cpu only), both of one dtype; y may be x
/// Errors: ShapeError, DTypeError, before anything runs; empty x: no-op. Cost: one read, one write; no workspace.
void scale_with(Stream& stream, ConstView x, StepScalars factor, View y);

}  // namespace ascore::kernels
