#include "kernels/activation/activation.hpp"

#include "kernels/activation/functions.hpp"
#include "kernels/core/cpu_map.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/core/vector_math.hpp"

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
namespace {
struct Math {
  template <class A>
  static A exp(A x) {
    return vector_exp(x);
  }
  template <class A>
  static A expm1(A x) {
    return vector_expm1(x);
  }
  template <class A>
  static A positive_part(A x) {
    return cpu::positive_part(x);
  }
  template <class A>
  static A negative_part(A x) {
    return cpu::negative_part(x);
  }
  template <class A>
  static A where_positive(A x, A a, A b) {
    return cpu::where_positive(x, a, b);
  }
};
}  // namespace

void activation(Stream& stream, ConstView x, Activation kind, double slope, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    functions::for_activation<Math>(kind, slope,
                                    [&](auto f) { map_elements(stream, f, x.count(), y.as<T>(), x.as<T>()); });
  });
}

void activation_backward(Stream& stream, ConstView kept, ConstView dy, Activation kind, double slope, View dx) {
  for_cpu_float_type(kept.dtype(), [&]<class T>() {
    functions::for_activation<Math>(kind, slope, [&](auto f) {
      map_elements(stream, functions::Derivative{f}, kept.count(), dx.as<T>(), kept.as<T>(), dy.as<T>());
    });
  });
}
}  // namespace cpu

namespace {
void require_slope(const OpScope& op, Activation kind, double slope) {
  if (kind == Activation::leaky_relu && !(slope >= 0)) {
    throw ConfigError(fmt::format("{}: the slope of leaky_relu is {}; give one of at least 0", op.name(), slope));
  }
}
}  // namespace

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
