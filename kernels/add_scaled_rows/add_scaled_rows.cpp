#include "kernels/add_scaled_rows/add_scaled_rows.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::add_scaled_rows) add_scaled_rows;
}
namespace cuda {
decltype(kernels::add_scaled_rows) add_scaled_rows;
}

namespace cpu {
void add_scaled_rows(Stream& stream, ConstView x, ConstView sigma, ConstView z, View y) {
  if (z.count() == 0) return;
  const int64_t width = z.count() / z.dim(0);
  for_cpu_real_type(z.dtype(), [&]<class T>() {
    const T* const px = x.as<T>();
    const T* const ps = sigma.as<T>();
    const T* const pz = z.as<T>();
    T* const py = y.as<T>();
    parallel_chunks(stream, z.count(), 1 << 14, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T scaled = ps[i / width] * pz[i];
        py[i] = px ? px[i] + scaled : scaled;
      }
    });
  });
}
}  // namespace cpu

void add_scaled_rows(Stream& stream, ConstView x, ConstView sigma, ConstView z, View y) {
  const OpScope op(stream, "add_scaled_rows", {x, sigma, z, y});
  op.require(z.rank() >= 1, "z must be [N,...]");
  op.require(y.shape() == z.shape() && (!x || x.shape() == z.shape()), "x, z and y must have one shape");
  op.require(sigma.shape() == Shape{z.dim(0)}, "sigma must be [N]");
  op.require_dtype(z.dtype() == y.dtype() && sigma.dtype() == z.dtype() && (!x || x.dtype() == z.dtype()),
                   "x, sigma, z and y must have one dtype");
  pick<cpu::add_scaled_rows, simt::add_scaled_rows, cuda::add_scaled_rows>(stream)(stream, x, sigma, z, y);
}

}  // namespace ascore::kernels
