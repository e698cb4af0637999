#include "kernels/transpose/transpose.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::transpose) transpose;
}  // namespace simt
namespace cuda {
decltype(kernels::transpose) transpose;
}  // namespace cuda

namespace cpu {
void transpose(Stream& stream, ConstView x, View y) {
  constexpr int64_t kTile = 32;  // squares that stay in the cache
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const int64_t A = x.dim(1), B = x.dim(2), tiles = (A + kTile - 1) / kTile;
    const T* const from = x.as<T>();
    T* const to = y.as<T>();
    parallel_for(stream, x.dim(0) * tiles, 2, [&](int64_t i) {
      const int64_t image = i / tiles * A * B, begin_a = i % tiles * kTile, end_a = std::min(begin_a + kTile, A);
      for (int64_t begin_b = 0; begin_b < B; begin_b += kTile) {
        for (int64_t b = begin_b; b < std::min(begin_b + kTile, B); ++b) {
          for (int64_t a = begin_a; a < end_a; ++a) to[image + b * A + a] = from[image + a * B + b];
        }
      }
    });
  });
}
}  // namespace cpu

void transpose(Stream& stream, ConstView x, View y) {
  const OpScope op(stream, "transpose", {x, y});
  op.require(x.rank() == 3 && y.shape() == Shape{x.dim(0), x.dim(2), x.dim(1)}, "x must be [N,A,B] and y [N,B,A]");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
  if (x.count() == 0) return;
  pick<cpu::transpose, simt::transpose, cuda::transpose>(stream)(stream, x, y);
}

}  // namespace ascore::kernels
