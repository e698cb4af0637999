#include "kernels/affine/affine.hpp"
#include "kernels/affine/functions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/core/map.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void affine(Stream& stream, ConstView x, double factor, double shift, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    const functions::Affine<float> f{static_cast<float>(factor), static_cast<float>(shift)};
    map_elements(stream, f, x.count(), y.as<T>(), x.as<T>());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
