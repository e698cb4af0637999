#include "kernels/activation/activation.hpp"
#include "kernels/activation/functions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/core/map.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {
struct Math {
  static __device__ float exp(float x) { return expf(x); }
  static __device__ float expm1(float x) { return expm1f(x); }
  static __device__ float positive_part(float x) { return x < 0.0f ? 0.0f : x; }
  static __device__ float negative_part(float x) { return x > 0.0f ? 0.0f : x; }
  static __device__ float where_positive(float x, float a, float b) { return x > 0.0f ? a : b; }
};
}  // namespace

void activation(Stream& stream, ConstView x, Activation kind, double slope, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    functions::for_activation<Math>(kind, slope,
                                    [&](auto f) { map_elements(stream, f, x.count(), y.as<T>(), x.as<T>()); });
  });
}

void activation_backward(Stream& stream, ConstView kept, ConstView dy, Activation kind, double slope, View dx) {
  for_float_type(kept.dtype(), [&]<class T>() {
    functions::for_activation<Math>(kind, slope, [&](auto f) {
      map_elements(stream, functions::Derivative<decltype(f)>{f}, kept.count(), dx.as<T>(), kept.as<T>(), dy.as<T>());
    });
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
