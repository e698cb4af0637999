#pragma once

#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/core/stream.hpp"
#include "kernels/core/view.hpp"

namespace ascore::kernels::cpu {

/// How a convolution applies a layer's weights: its gradient of x mirrors them, and exchanges inputs and outputs.
enum class Weights { as_they_are, turned };

/// G w G^T of a layer's weights [O,3,3,I] as the convolution `s` applies them: [place][s.out / 32][s.in][s.out % 32].
/// `activations`: beside bf16, f32 weights are rounded first. Valid until the next call.
///
/// They are made for every use, in scratch memory, until weights are found unchanged for so long that they must be a
/// sampler's: then they are kept. So training holds no second copy of its weights.
const float* winograd_weights(Stream& stream, const Conv2dShape& s, ConstView weight, Weights use, DType activations);

}  // namespace ascore::kernels::cpu
