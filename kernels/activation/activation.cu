#include "kernels/activation/activation.hpp"
#include "kernels/activation/device_math.hpp"
#include "kernels/core/map.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void activation(Stream& stream, ConstView x, Activation kind, double slope, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    functions::for_activation<ActivationMath>(
        kind, slope, [&](auto f) { map_elements(stream, f, x.count(), y.as<T>(), x.as<T>()); });
  });
}

void activation_backward(Stream& stream, ConstView kept, ConstView dy, Activation kind, double slope, View dx) {
  for_float_type(kept.dtype(), [&]<class T>() {
    functions::for_activation<ActivationMath>(kind, slope, [&](auto f) {
      map_elements(stream, functions::Derivative<decltype(f)>{f}, kept.count(), dx.as<T>(), kept.as<T>(), dy.as<T>());
    });
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
