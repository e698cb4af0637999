#include "kernels/pad_top_left/pad_top_left.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::pad_top_left) pad_top_left;
decltype(kernels::crop_top_left) crop_top_left;
}  // namespace simt
namespace cuda {
decltype(kernels::pad_top_left) pad_top_left;
decltype(kernels::crop_top_left) crop_top_left;
}  // namespace cuda

namespace cpu {
void pad_top_left(Stream& stream, ConstView x, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const int64_t H = x.dim(1), C = x.dim(3), row = x.dim(2) * C;
    const T* const from = x.as<T>();
    T* const to = y.as<T>();
    parallel_for(stream, y.dim(0) * (H + 1), 2, [&](int64_t i) {
      const int64_t n = i / (H + 1), h = i % (H + 1);
      T* const line = to + i * (row + C);
      if (h == 0) {
        std::fill_n(line, row + C, T{});
      } else {
        std::copy_n(from + (n * H + h - 1) * row, row, std::fill_n(line, C, T{}));
      }
    });
  });
}

void crop_top_left(Stream& stream, ConstView y, View x) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const int64_t H = x.dim(1), C = x.dim(3), row = x.dim(2) * C;
    const T* const from = y.as<T>();
    T* const to = x.as<T>();
    parallel_for(stream, x.dim(0) * H, 2, [&](int64_t i) {
      const int64_t n = i / H, h = i % H;
      std::copy_n(from + (n * (H + 1) + h + 1) * (row + C) + C, row, to + i * row);
    });
  });
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView x, ConstView y) {
  op.require(x.rank() == 4 && y.shape() == Shape{x.dim(0), x.dim(1) + 1, x.dim(2) + 1, x.dim(3)},
             "x must be [N,H,W,C] and y [N,H+1,W+1,C]");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
}
}  // namespace

void pad_top_left(Stream& stream, ConstView x, View y) {
  const OpScope op(stream, "pad_top_left", {x, y});
  check(op, x, y);
  if (y.count() == 0) return;
  pick<cpu::pad_top_left, simt::pad_top_left, cuda::pad_top_left>(stream)(stream, x, y);
}

void crop_top_left(Stream& stream, ConstView y, View x) {
  const OpScope op(stream, "crop_top_left", {y, x});
  check(op, x, y);
  if (x.count() == 0) return;
  pick<cpu::crop_top_left, simt::crop_top_left, cuda::crop_top_left>(stream)(stream, y, x);
}

}  // namespace ascore::kernels
