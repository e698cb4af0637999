#include "kernels/perturb/perturb.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/distributions.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::perturb) perturb;
}
namespace cuda {
decltype(kernels::perturb) perturb;
}

namespace cpu {
void perturb(Stream& stream, ConstView x, ConstView sigma, const NoiseKey& key, View y, View minus_z) {
  if (x.count() == 0) return;
  const int64_t rows = x.dim(0), width = x.count() / rows;
  for_cpu_real_type(x.dtype(), [&]<class T>() {
    const T* const px = x.as<T>();
    const T* const ps = sigma.as<T>();
    T* const py = y.as<T>();
    T* const target = minus_z.as<T>();
    parallel_chunks(stream, rows * groups_of(width), 1 << 11, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const DrawGroup at = draw_group(i, width);
        const Draws z = normals(random_bits(key, at.row, at.group));
        for (int j = 0; j < at.count; ++j) {
          py[at.offset + j] = px[at.offset + j] + ps[at.row] * T(z.value[j]);
          if (target) target[at.offset + j] = -T(z.value[j]);
        }
      }
    });
  });
}
}  // namespace cpu

void perturb(Stream& stream, ConstView x, ConstView sigma, const NoiseKey& key, View y, View minus_z) {
  const OpScope op(stream, "perturb", {x, sigma, y, minus_z, key.offset_view(stream.device())});
  op.require(x.rank() >= 1, "x must be [N,...]");
  op.require(y.shape() == x.shape() && (!minus_z || minus_z.shape() == x.shape()),
             "x, y and minus_z must have one shape");
  op.require(sigma.shape() == Shape{x.dim(0)}, "sigma must be [N]");
  op.require_dtype(y.dtype() == x.dtype() && sigma.dtype() == x.dtype() && (!minus_z || minus_z.dtype() == x.dtype()),
                   "x, sigma, y and minus_z must have one dtype");
  pick<cpu::perturb, simt::perturb, cuda::perturb>(stream)(stream, x, sigma, key, y, minus_z);
}

}  // namespace ascore::kernels
