#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

#include <cstdint>

namespace ascore {

/// Nonlinearities of the networks:
///
///   elu         x > 0 ? x : e^x - 1            leaky_relu  x > 0 ? x : slope x      relu  max(x, 0)
///   silu        x / (1 + e^-x)                 sigmoid     1 / (1 + e^-x)           identity
enum class Activation : uint8_t { identity, elu, relu, leaky_relu, silu, sigmoid };

}  // namespace ascore

namespace ascore::kernels {

/// y = f(x), element by element; `slope` (at least 0) is used by leaky_relu only.
///
///   x, y   one shape, any; f32, bf16, f64 (cpu only), both of one dtype; y may be x if no backward needs x
/// Computed in f32 (f64 for f64), rounded once. Errors: ShapeError, DTypeError, ConfigError (negative slope), before
/// anything runs; empty x: no-op. Cost: one read, one write; no workspace.
void activation(Stream& stream, ConstView x, Activation kind, double slope, View y);

/// True if activation_backward wants the input x; the other derivatives are functions of the output y.
constexpr bool backward_needs_input(Activation kind) {
  return kind == Activation::silu;
}

/// dx = dy f'(x).
///
///   kept         x if backward_needs_input(kind), else y
///   dy, dx       of kept's shape and dtype; dx may be dy
/// Derivative 0 (relu), slope (leaky_relu) and 1 (elu) at 0. Otherwise as above.
void activation_backward(Stream& stream, ConstView kept, ConstView dy, Activation kind, double slope, View dx);

}  // namespace ascore::kernels
