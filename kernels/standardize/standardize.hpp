#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// Divides x by its unbiased variance over all M elements, the whole batch:
///
///   y = r x,   r = 1 / (var + 1e-10),   var = sum (x - mean)^2 / (M - 1)
///
///   x, y         any one shape, M at least 2; f32, f64 (cpu only), both of one dtype; y may be x if no backward
///   follows statistics   [2]  of their dtype; written: mean and r workspace    u8, at least
///   standardize_workspace_bytes
/// Statistics: moments of runs of 4096 elements by two passes, put together in order, in f32 or wider. Errors:
/// ShapeError, DTypeError, before anything runs. Cost: 3 elements moved per element.
void standardize(Stream& stream, ConstView x, View y, View statistics, View workspace);

/// Gradient of the above: dx = r dy - 2 r^2 (x - mean) sum(dy x) / (M - 1).
///
///   x, statistics   as given to and written by the forward pass
///   dy, dx          of x's shape and dtype; dx may be dy
///   workspace       u8, at least standardize_workspace_bytes
/// Cost: 5 elements moved per element.
void standardize_backward(Stream& stream, ConstView x, ConstView statistics, ConstView dy, View dx, View workspace);

/// Bytes of workspace that both need for x of this shape.
size_t standardize_workspace_bytes(const Shape& x);

}  // namespace ascore::kernels
