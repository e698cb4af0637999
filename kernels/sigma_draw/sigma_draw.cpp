#include "kernels/sigma_draw/sigma_draw.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::sigma_draw) sigma_draw;
}
namespace cuda {
decltype(kernels::sigma_draw) sigma_draw;
}

namespace cpu {
void sigma_draw(Stream&, const NoiseKey& key, ConstView levels, View sigma, View index) {
  for_cpu_real_type(levels.dtype(), [&]<class T>() {
    const T* const table = levels.as<T>();
    T* const out = sigma.as<T>();
    int32_t* const chosen = index.as<int32_t>();
    for (int64_t n = 0; n < sigma.count(); ++n) {
      const int32_t i = index_from_bits(random_bits(key, n, 0).word[0], levels.count());
      out[n] = table[i];
      if (chosen) chosen[n] = i;
    }
  });
}
}  // namespace cpu

void sigma_draw(Stream& stream, const NoiseKey& key, ConstView levels, View sigma, View index) {
  const OpScope op(stream, "sigma_draw", {levels, sigma, index, key.offset_view(stream.device())});
  op.require(levels.rank() == 1 && levels.count() >= 1, "levels must be [L] with L >= 1");
  op.require(sigma.rank() == 1 && (!index || index.shape() == sigma.shape()), "sigma and index must be [N]");
  op.require_dtype(sigma.dtype() == levels.dtype(), "levels and sigma must have one dtype");
  op.require_dtype(!index || index.dtype() == DType::i32, "index must be i32");
  pick<cpu::sigma_draw, simt::sigma_draw, cuda::sigma_draw>(stream)(stream, key, levels, sigma, index);
}

}  // namespace ascore::kernels
