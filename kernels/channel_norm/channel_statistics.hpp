#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

/// Small steps between the passes of channel_norm.hpp. All views are f32 (f64 on the cpu), of one dtype. Errors:
/// ShapeError, DTypeError, before anything runs.
namespace ascore::kernels {

/// rstd = 1 / sqrt(factor squares + eps), element by element, of one shape.
void inverse_deviation(Stream& stream, ConstView squares, double factor, double eps, View rstd);

/// y = factor gamma_c rstd sums, element by element; sums, rstd and y of one shape [...,C]; gamma [C], or absent (1):
/// the means over pixels that a normalisation takes out of its gradient.
void scaled_sums(Stream& stream, ConstView sums, ConstView gamma, ConstView rstd, double factor, View y);

}  // namespace ascore::kernels
