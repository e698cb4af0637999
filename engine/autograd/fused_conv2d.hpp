#pragma once

#include "engine/autograd/activated.hpp"

namespace ascore {

/// What a convolution does with its sums as it stores them: f(sums + residual).
struct Epilogue {
  Tensor residual{};  ///< of the result's shape and dtype, or absent
  Activation activation = Activation::identity;
  double slope = 0.01;    ///< of leaky_relu
  bool keep_raw = false;  ///< stores sums + residual as well, for operations that want it before f
  /// Measures sums + residual for the normalisation that follows (Normalization::measures says if it cares), unless
  /// images have no runs of pixels (kernels/core/run_moments.hpp).
  bool measure = false;
};

/// conv2d of x.value, with its epilogue in the same pass (kernels/conv2d/conv2d_epilogue.hpp says what is rounded
/// when). Backward adds to what `x.raw` was given before, also in one pass.
Activated fused_conv2d(Ctx& ctx, const Activated& x, const Tensor& weight, const Tensor& bias,
                       const Conv2dOptions& options, const Epilogue& epilogue);

}  // namespace ascore
