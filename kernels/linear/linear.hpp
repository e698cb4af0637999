#pragma once

#include "kernels/core/math_mode.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstddef>

namespace ascore::kernels {

/// y[n,o] = bias[o] + sum over i of weight[o,i] x[n,i].
///
///   x       [N,I]  f32, bf16, f64 (cpu only)
///   weight  [O,I]  of x's dtype or f32 (rounded to bf16 for the product where x is bf16)
///   bias    [O]    f32 (f64 with f64), or absent
///   y       [N,O]  of x's dtype
/// Sums in f32 (f64 for f64), rounded once. simt, cuda: tensor cores, f32 as `math` says. A row's result does not
/// depend on N or on the number of threads. Errors: ShapeError, DTypeError, before anything runs; N = 0: no-op. Cost: 2
/// N I O flops. `workspace`: linear_workspace_bytes, or absent.
void linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, View y, MathMode math = MathMode::f32,
            View workspace = {});

/// Bytes of workspace with which linear and linear_dgrad are fastest, as conv2d_workspace_bytes (kernels/conv2d);
/// `rows`: x, or dy.
size_t linear_workspace_bytes(Stream& stream, ConstView rows, ConstView weight);

/// Gradient of x: dx = dy weight; dy [N,O] and dx [N,I] of one dtype, weight as above. `workspace` as above.
/// Written, not added.
void linear_dgrad(Stream& stream, ConstView dy, ConstView weight, View dx, MathMode math = MathMode::f32,
                  View workspace = {});

/// Gradients of weight and bias, each computed unless absent: dweight = dy^T x, dbias[o] = sum over n of dy[n,o];
/// dweight [O,I], dbias [O] f32 (f64 with f64). Written, not added (zeros for N = 0). Repeats bit for bit on one device
/// with one number of threads. `workspace`: linear_wgrad_workspace_bytes.
void linear_wgrad(Stream& stream, ConstView x, ConstView dy, View dweight, View dbias, View workspace,
                  MathMode math = MathMode::f32);
size_t linear_wgrad_workspace_bytes(Device device, const Shape& x, const Shape& weight);

}  // namespace ascore::kernels
