#pragma once

#include "benchmarks/yardsticks/yardsticks.hpp"

namespace ascore::bench {

/// Convolution as one would write it with Eigen: image by image, gathered pixels times weights (f32).
Yardstick eigen_conv2d(Workbench& bench, const ConvOperands& operands);
Yardstick eigen_product(Workbench& bench, const Product& product);
/// softmax(scale q k^T) v, image by image.
Yardstick eigen_attention(Workbench& bench, const Tensor& q, const Tensor& k, const Tensor& v, double scale);
/// memcpy, cut among the stream's threads.
void parallel_copy(Stream& stream, ConstView from, View to);
std::string eigen_version();

}  // namespace ascore::bench
