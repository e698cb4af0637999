#include "kernels/append_column/append_column.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::append_column) append_column;
decltype(kernels::append_column_backward) append_column_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::append_column) append_column;
decltype(kernels::append_column_backward) append_column_backward;
}  // namespace cuda

namespace cpu {
void append_column(Stream& stream, ConstView x, ConstView c, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const T* const px = x.as<T>();
    const T* const pc = c.as<T>();
    T* const py = y.as<T>();
    const int64_t D = x.dim(1);
    parallel_for(stream, x.dim(0), 4096, [&](int64_t n) {
      std::copy(px + n * D, px + (n + 1) * D, py + n * (D + 1));
      py[n * (D + 1) + D] = pc[n];
    });
  });
}

void append_column_backward(Stream& stream, ConstView dy, View dx) {
  for_cpu_float_type(dx.dtype(), [&]<class T>() {
    const T* const from = dy.as<T>();
    T* const to = dx.as<T>();
    const int64_t D = dx.dim(1);
    parallel_for(stream, dx.dim(0), 4096,
                 [&](int64_t n) { std::copy(from + n * (D + 1), from + n * (D + 1) + D, to + n * D); });
  });
}
}  // namespace cpu

void append_column(Stream& stream, ConstView x, ConstView c, View y) {
  const OpScope op(stream, "append_column", {x, c, y});
  op.require(x.rank() == 2 && c.rank() == 1 && c.dim(0) == x.dim(0), "x must be [N,D] and c [N]");
  op.require(y.shape() == Shape{x.dim(0), x.dim(1) + 1}, "y must be [N,D+1]");
  op.require_dtype(x.dtype() == y.dtype() && c.dtype() == x.dtype(), "x, c and y must have one dtype");
  pick<cpu::append_column, simt::append_column, cuda::append_column>(stream)(stream, x, c, y);
}

void append_column_backward(Stream& stream, ConstView dy, View dx) {
  const OpScope op(stream, "append_column_backward", {dy, dx});
  op.require(dx.rank() == 2 && dy.shape() == Shape{dx.dim(0), dx.dim(1) + 1}, "dx must be [N,D] and dy [N,D+1]");
  op.require_dtype(dx.dtype() == dy.dtype(), "dx and dy must have one dtype");
  pick<cpu::append_column_backward, simt::append_column_backward, cuda::append_column_backward>(stream)(stream, dy, dx);
}

}  // namespace ascore::kernels
