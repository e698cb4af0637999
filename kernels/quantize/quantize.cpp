#include "kernels/quantize/quantize.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::quantize) quantize;
}
namespace cuda {
decltype(kernels::quantize) quantize;
}

namespace cpu {
void quantize(Stream& stream, ConstView x, View y) {
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    const T* const px = x.as<T>();
    uint8_t* const py = y.as<uint8_t>();
    parallel_chunks(stream, x.count(), 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T clamped = px[i] > 0 ? (px[i] < 1 ? px[i] : T(1)) : T(0);  // NaN compares false
        py[i] = static_cast<uint8_t>(T(255) * clamped + T(0.5));
      }
    });
  });
}
}  // namespace cpu

void quantize(Stream& stream, ConstView x, View y) {
  const OpScope op(stream, "quantize", {x, y});
  op.require(x.shape() == y.shape(), "x and y must have one shape");
  op.require_dtype(y.dtype() == DType::u8, "y must be u8");
  pick<cpu::quantize, simt::quantize, cuda::quantize>(stream)(stream, x, y);
}

}  // namespace ascore::kernels
