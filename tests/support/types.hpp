#pragma once

#include "kernels/core/device.hpp"
#include "kernels/core/dtype.hpp"

#include <vector>

namespace ascore::test {

/// f32, on the cpu f64 too: for operations that bf16 activations never reach.
inline std::vector<DType> wide_types(Device device) {
  return device == Device::cpu ? std::vector{DType::f32, DType::f64} : std::vector{DType::f32};
}

/// The floating types that kernels take on a device: wide_types and bf16.
inline std::vector<DType> float_types(Device device) {
  std::vector<DType> types = wide_types(device);
  types.push_back(DType::bf16);
  return types;
}

}  // namespace ascore::test
