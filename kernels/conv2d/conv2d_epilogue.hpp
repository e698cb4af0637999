#pragma once

#include "kernels/activation/activation.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels {

/// What conv2d does with its sums (bias included) before it stores them:
///
///   sum = conv + residual       y = f(sum)
///
/// in f32 (f64 for f64), each rounded once: y is f of the unrounded sum. In f32 these are the bits that conv2d,
/// scaled_add and activation give one after the other; in bf16 there is one rounding where there were three.
struct Conv2dEpilogue {
  ConstView residual{};  ///< of y's shape and dtype, or absent
  Activation activation = Activation::identity;
  double slope = 0.01;  ///< of leaky_relu, at least 0
  View sum{};           ///< of y's shape and dtype: receives sum; or absent
  /// Receives the run moments (kernels/core/run_moments.hpp) of sum, as it is or would be rounded; or absent.
  View runs{};
};

/// What conv2d_dgrad does with its sums: where x = f(r), and r has a gradient by other ways too,
///
///   dr = f'(kept) (dgrad + bias) + residual
///
/// in place of the gradient of x; bits as above. With a bias it is a transposed convolution.
struct Conv2dGradEpilogue {
  ConstView bias{};  ///< [I], f32 (f64 with f64), or absent
  /// What activation_backward keeps of f: x, or r if backward_needs_input(activation); of dx's shape and dtype, or
  /// absent (f = identity).
  ConstView kept{};
  Activation activation = Activation::identity;
  double slope = 0.01;   ///< of leaky_relu, at least 0
  ConstView residual{};  ///< of dx's shape and dtype, or absent
};

}  // namespace ascore::kernels
