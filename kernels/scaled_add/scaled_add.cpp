#include "kernels/scaled_add/scaled_add.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::scaled_add) scaled_add;
}
namespace cuda {
decltype(kernels::scaled_add) scaled_add;
}

namespace cpu {
void scaled_add(Stream& stream, double a, ConstView x, double b, ConstView z, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const T* const px = x.as<T>();
    const T* const pz = z.as<T>();
    T* const py = y.as<T>();
    const Acc fa = static_cast<Acc>(a), fb = static_cast<Acc>(b);
    parallel_chunks(stream, x.count(), 1 << 14, [&](int64_t begin, int64_t end) {
      if (pz) {
        for (int64_t i = begin; i < end; ++i) py[i] = narrow<T>(fa * widen(px[i]) + fb * widen(pz[i]));
      } else {
        for (int64_t i = begin; i < end; ++i) py[i] = narrow<T>(fa * widen(px[i]));
      }
    });
  });
}
}  // namespace cpu

void scaled_add(Stream& stream, double a, ConstView x, double b, ConstView z, View y) {
  const OpScope op(stream, "scaled_add", {x, z, y});
  op.require(x.shape() == y.shape() && (!z || z.shape() == x.shape()), "x, z and y must have one shape");
  op.require_dtype(x.dtype() == y.dtype() && (!z || z.dtype() == x.dtype()), "x, z and y must have one dtype");
  pick<cpu::scaled_add, simt::scaled_add, cuda::scaled_add>(stream)(stream, a, x, b, z, y);
}

}  // namespace ascore::kernels
