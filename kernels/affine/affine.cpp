#include "kernels/affine/affine.hpp"

#include "kernels/affine/functions.hpp"
#include "kernels/core/cpu_map.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::affine) affine;
}
namespace cuda {
decltype(kernels::affine) affine;
}

namespace cpu {
void affine(Stream& stream, ConstView x, double factor, double shift, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const functions::Affine<Acc> f{static_cast<Acc>(factor), static_cast<Acc>(shift)};
    map_elements(stream, f, x.count(), y.as<T>(), x.as<T>());
  });
}
}  // namespace cpu

void affine(Stream& stream, ConstView x, double factor, double shift, View y) {
  const OpScope op(stream, "affine", {x, y});
  op.require(x.shape() == y.shape(), "x and y must have one shape");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
  pick<cpu::affine, simt::affine, cuda::affine>(stream)(stream, x, factor, shift, y);
}

}  // namespace ascore::kernels
