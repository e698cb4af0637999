#pragma once

#include "kernels/core/tensor_map.hpp"

#include <cuda.h>

namespace ascore::kernels::cuda {

/// The description that bulk copies take: a kernel's parameter, or a member of one, declared `const __grid_constant__`.
/// Throws DeviceError if the driver refuses it or has no such entry point.
using TensorMap = CUtensorMap;
TensorMap make_tensor_map(const TiledBox& box);
TensorMap make_tensor_map(const PixelBox& box);

}  // namespace ascore::kernels::cuda
