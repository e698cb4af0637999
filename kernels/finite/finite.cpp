#include "kernels/finite/finite.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <atomic>

namespace ascore::kernels {

namespace simt {
decltype(kernels::count_nonfinite) count_nonfinite;
}
namespace cuda {
decltype(kernels::count_nonfinite) count_nonfinite;
}

namespace cpu {
void count_nonfinite(Stream& stream, ConstView x, View count) {
  std::atomic<int32_t> total{0};
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const T* const px = x.as<T>();
    parallel_chunks(stream, x.count(), 1 << 16, [&](int64_t begin, int64_t end) {
      int32_t found = 0;
      for (int64_t i = begin; i < end; ++i) {
        const auto value = widen(px[i]);
        found += !(value - value == 0);
      }
      if (found) total += found;
    });
  });
  *count.as<int32_t>() = total;
}
}  // namespace cpu

void count_nonfinite(Stream& stream, ConstView x, View count) {
  const OpScope op(stream, "count_nonfinite", {x, count});
  op.require(x.present() && count.count() == 1, "count must be one element");
  op.require_dtype(count.dtype() == DType::i32, "count must be i32");
  pick<cpu::count_nonfinite, simt::count_nonfinite, cuda::count_nonfinite>(stream)(stream, x, count);
}

}  // namespace ascore::kernels
