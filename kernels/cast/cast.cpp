#include "kernels/cast/cast.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::cast) cast;
}
namespace cuda {
decltype(kernels::cast) cast;
}

namespace cpu {
void cast(Stream& stream, ConstView x, View y) {
  for_cpu_float_type(x.dtype(), [&]<class From>() {
    for_cpu_float_type(y.dtype(), [&]<class To>() {
      const From* const from = x.as<From>();
      To* const to = y.as<To>();
      parallel_chunks(stream, x.count(), 1 << 14, [&](int64_t begin, int64_t end) {
#pragma omp simd
        for (int64_t i = begin; i < end; ++i) to[i] = narrow<To>(static_cast<accumulator_t<To>>(widen(from[i])));
      });
    });
  });
}
}  // namespace cpu

void cast(Stream& stream, ConstView x, View y) {
  const OpScope op(stream, "cast", {x, y});
  op.require(x.shape() == y.shape(), "x and y must have one shape");
  pick<cpu::cast, simt::cast, cuda::cast>(stream)(stream, x, y);
}

}  // namespace ascore::kernels
