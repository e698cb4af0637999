#include "kernels/pool2/pool2.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::pool2_sum) pool2_sum;
decltype(kernels::pool2_spread) pool2_spread;
}  // namespace simt
namespace cuda {
decltype(kernels::pool2_sum) pool2_sum;
decltype(kernels::pool2_spread) pool2_spread;
}  // namespace cuda

namespace cpu {
void pool2_sum(Stream& stream, ConstView x, double factor, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const int64_t W = y.dim(2), C = y.dim(3);
    const auto scale = static_cast<accumulator_t<T>>(factor);
    const T* const px = x.as<T>();
    T* const py = y.as<T>();
    parallel_for(stream, y.dim(0) * y.dim(1), 2, [&](int64_t row) {
      for (int64_t w = 0; w < W; ++w) {
        const T *const above = px + (2 * row * 2 * W + 2 * w) * C, *const below = above + 2 * W * C;
        T* const to = py + (row * W + w) * C;
#pragma omp simd
        for (int64_t c = 0; c < C; ++c) {
          to[c] =
              narrow<T>(scale * ((widen(above[c]) + widen(above[C + c])) + (widen(below[c]) + widen(below[C + c]))));
        }
      }
    });
  });
}

void pool2_spread(Stream& stream, ConstView x, double factor, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    const int64_t W = x.dim(2), C = x.dim(3);
    const auto scale = static_cast<accumulator_t<T>>(factor);
    const T* const px = x.as<T>();
    T* const py = y.as<T>();
    parallel_for(stream, y.dim(0) * y.dim(1), 2, [&](int64_t row) {
      for (int64_t w = 0; w < W; ++w) {
        const T* const from = px + (row / 2 * W + w) * C;
        T* const to = py + (row * 2 * W + 2 * w) * C;
#pragma omp simd
        for (int64_t c = 0; c < C; ++c) to[c] = to[C + c] = narrow<T>(scale * widen(from[c]));
      }
    });
  });
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView small, ConstView large) {
  op.require(small.rank() == 4 && large.rank() == 4 && large.dim(1) % 2 == 0 && large.dim(2) % 2 == 0,
             "x and y must be [N,H,W,C], with H and W of the larger even");
  op.require(large.shape() == Shape{small.dim(0), 2 * small.dim(1), 2 * small.dim(2), small.dim(3)},
             "the larger must be twice as high and wide as the smaller");
  op.require_dtype(small.dtype() == large.dtype(), "x and y must have one dtype");
}
}  // namespace

void pool2_sum(Stream& stream, ConstView x, double factor, View y) {
  const OpScope op(stream, "pool2_sum", {x, y});
  check(op, y, x);
  if (x.count() == 0) return;
  pick<cpu::pool2_sum, simt::pool2_sum, cuda::pool2_sum>(stream)(stream, x, factor, y);
}

void pool2_spread(Stream& stream, ConstView x, double factor, View y) {
  const OpScope op(stream, "pool2_spread", {x, y});
  check(op, x, y);
  if (x.count() == 0) return;
  pick<cpu::pool2_spread, simt::pool2_spread, cuda::pool2_spread>(stream)(stream, x, factor, y);
}

}  // namespace ascore::kernels
