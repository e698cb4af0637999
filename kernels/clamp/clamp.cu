#include "kernels/clamp/clamp.hpp"
#include "kernels/clamp/functions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/core/map.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void clamp(Stream& stream, ConstView x, double low, double high, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    const functions::Clamp<float> f{static_cast<float>(low), static_cast<float>(high)};
    map_elements(stream, f, x.count(), y.as<T>(), x.as<T>());
  });
}

void clamp_backward(Stream& stream, ConstView x, ConstView dy, double low, double high, View dx) {
  for_float_type(x.dtype(), [&]<class T>() {
    const functions::Clamp<float> f{static_cast<float>(low), static_cast<float>(high)};
    map_elements(stream, f, x.count(), dx.as<T>(), x.as<T>(), dy.as<T>());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
