#pragma once

#include "benchmarks/measure/case.hpp"
#include "kernels/conv2d/conv2d.hpp"

namespace ascore::bench {

/// Operands of a convolution and the pass to be measured: the pass reads two of the three and writes the third.
struct ConvOperands {
  kernels::Conv2dPass pass;
  kernels::Conv2dOptions options;
  Tensor x, weight, y;  ///< of forward: y is written; dgrad: x; wgrad: weight (f32)
};

/// The best that a library does: cuDNN's fastest engine on cuda, plain Eigen on cpu (f32).
Yardstick conv2d_yardstick(Workbench& bench, const ConvOperands& operands);
/// c [M,N] = a b^T or a b or a^T b (cuBLASLt's fastest algorithm on cuda, plain Eigen on cpu in f32).
struct Product {
  Tensor a, b, c;
  bool transpose_a = false, transpose_b = false;
};
Yardstick product_yardstick(Workbench& bench, const Product& product);
/// Attention's forward pass with its weights in memory (plain Eigen on cpu in f32).
Yardstick attention_yardstick(Workbench& bench, const Tensor& q, const Tensor& k, const Tensor& v, double scale);
/// A copy that moves `bytes` bytes, half read and half written: what a pass over memory is measured against.
Yardstick copy_yardstick(Workbench& bench, double bytes);

/// What the machine can do, measured: flops per second of a square product of the dtype (the faster of ours and the
/// library's), bytes per second of a copy, read and written ones counted.
struct Ceilings {
  double flops = 0, bytes = 0;
};
Ceilings measure_ceilings(Workbench& bench);

/// The libraries of this build that stand beside the kernels of `device`, for the report's head.
std::string yardstick_versions(Device device);

}  // namespace ascore::bench
