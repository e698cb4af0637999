#include "kernels/fill/fill.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::fill) fill;
}
namespace cuda {
decltype(kernels::fill) fill;
}

namespace cpu {
void fill(Stream& stream, View y, double value) {
  for_cpu_float_type(y.dtype(), [&]<class T>() {
    T* const out = y.as<T>();
    const T element = narrow<T>(static_cast<accumulator_t<T>>(value));
    parallel_chunks(stream, y.count(), 1 << 16,
                    [&](int64_t begin, int64_t end) { std::fill(out + begin, out + end, element); });
  });
}
}  // namespace cpu

void fill(Stream& stream, View y, double value) {
  const OpScope op(stream, "fill", {y});
  pick<cpu::fill, simt::fill, cuda::fill>(stream)(stream, y, value);
}

}  // namespace ascore::kernels
