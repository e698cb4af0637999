#include "kernels/replace_known/replace_known.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::replace_known) replace_known;
}
namespace cuda {
decltype(kernels::replace_known) replace_known;
}

namespace cpu {
void replace_known(Stream& stream, View x, ConstView reference, ConstView mask, StepScalars sigma,
                   const NoiseKey& key) {
  if (x.count() == 0) return;
  const int64_t rows = x.dim(0), width = x.count() / rows;
  const uint8_t* const known = mask.as<uint8_t>();
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    T* const px = x.as<T>();
    const T* const wanted = reference.as<T>();
    const T spread = static_cast<T>(sigma.as<double>()[0]);
    parallel_chunks(stream, rows * groups_of(width), 1 << 11, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const DrawGroup at = draw_group(i, width);
        const uint8_t* const here = known + (at.offset - at.row * width);
        const Draws z = normals(random_bits(key, at.row, at.group));
        for (int j = 0; j < at.count; ++j) {
          if (here[j]) px[at.offset + j] = wanted[at.offset + j] + spread * T(z.value[j]);
        }
      }
    });
  });
}
}  // namespace cpu

void replace_known(Stream& stream, View x, ConstView reference, ConstView mask, StepScalars sigma,
                   const NoiseKey& key) {
  const OpScope op(stream, "replace_known", {in_out(x), reference, mask, sigma, key.offset_view(stream.device())});
  op.require(x.rank() >= 1, "x must be [N,...]");
  op.require(reference.shape() == x.shape(), "x and reference must have one shape");
  op.require(mask.shape() == Shape(x.shape().dims().subspan(1)), "mask must have the shape of one sample");
  op.require(sigma.shape() == Shape{1}, "sigma must be [1]");
  op.require_dtype(reference.dtype() == x.dtype(), "x and reference must have one dtype");
  op.require_dtype(mask.dtype() == DType::u8 && sigma.dtype() == DType::f64, "mask must be u8, sigma f64");
  pick<cpu::replace_known, simt::replace_known, cuda::replace_known>(stream)(stream, x, reference, mask, sigma, key);
}

}  // namespace ascore::kernels
