#pragma once

#include "kernels/activation/functions.hpp"
#include "kernels/core/kernel.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

/// The Math of kernels/activation/functions.hpp in kernels.
struct ActivationMath {
  static __device__ float exp(float x) { return expf(x); }
  static __device__ float expm1(float x) { return expm1f(x); }
  static __device__ float positive_part(float x) { return x < 0.0f ? 0.0f : x; }
  static __device__ float negative_part(float x) { return x > 0.0f ? 0.0f : x; }
  static __device__ float where_positive(float x, float a, float b) { return x > 0.0f ? a : b; }
};

/// functions::for_activation inside a kernel, for a kind that only the launch knows.
template <class Body>
__device__ __forceinline__ void for_activation_in_kernel(Activation kind, float slope, const Body& body) {
  using Math = ActivationMath;
  switch (kind) {
    case Activation::identity:
      return body(functions::Identity{});
    case Activation::elu:
      return body(functions::Elu<Math>{});
    case Activation::relu:
      return body(functions::Relu<Math>{});
    case Activation::leaky_relu:
      return body(functions::LeakyRelu<Math>{slope});
    case Activation::silu:
      return body(functions::Silu<Math>{});
    case Activation::sigmoid:
      return body(functions::Sigmoid<Math>{});
  }
}

}  // namespace ascore::kernels::ASCORE_BACKEND
