#include "kernels/activation/activation.hpp"

#include "kernels/activation/functions.hpp"
#include "kernels/activation/host_math.hpp"
#include "kernels/activation/slope.hpp"
#include "kernels/core/cpu_map.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

#include <fmt/format.h>

namespace ascore::kernels {

namespace simt {
decltype(kernels::activation) activation;
decltype(kernels::activation_backward) activation_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::activation) activation;
decltype(kernels::activation_backward) activation_backward;
}  // namespace cuda

namespace cpu {
void activation(Stream& stream, ConstView x, Activation kind, double slope, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    functions::for_activation<ActivationMath>(
        kind, slope, [&](auto f) { map_elements(stream, f, x.count(), y.as<T>(), x.as<T>()); });
  });
}

void activation_backward(Stream& stream, ConstView kept, ConstView dy, Activation kind, double slope, View dx) {
  for_cpu_float_type(kept.dtype(), [&]<class T>() {
    functions::for_activation<ActivationMath>(kind, slope, [&](auto f) {
      map_elements(stream, functions::Derivative{f}, kept.count(), dx.as<T>(), kept.as<T>(), dy.as<T>());
    });
  });
}
}  // namespace cpu

void require_slope(const OpScope& op, Activation kind, double slope) {
  if (kind == Activation::leaky_relu && !(slope >= 0)) {
    throw ConfigError(fmt::format("{}: the slope of leaky_relu is {}; give one of at least 0", op.name(), slope));
  }
}

void activation(Stream& stream, ConstView x, Activation kind, double slope, View y) {
  const OpScope op(stream, "activation", {x, y});
  op.require(x.shape() == y.shape(), "x and y must have one shape");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
  require_slope(op, kind, slope);
  pick<cpu::activation, simt::activation, cuda::activation>(stream)(stream, x, kind, slope, y);
}

void activation_backward(Stream& stream, ConstView kept, ConstView dy, Activation kind, double slope, View dx) {
  const OpScope op(stream, "activation_backward", {kept, dy, dx});
  op.require(kept.shape() == dy.shape() && kept.shape() == dx.shape(), "kept, dy and dx must have one shape");
  op.require_dtype(kept.dtype() == dy.dtype() && kept.dtype() == dx.dtype(), "kept, dy and dx must have one dtype");
  require_slope(op, kind, slope);
  pick<cpu::activation_backward, simt::activation_backward, cuda::activation_backward>(stream)(stream, kept, dy, kind,
                                                                                               slope, dx);
}

}  // namespace ascore::kernels
