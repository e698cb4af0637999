#include "kernels/box_weights/box_weights.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::box_weights) box_weights;
decltype(kernels::box_weights_backward) box_weights_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::box_weights) box_weights;
decltype(kernels::box_weights_backward) box_weights_backward;
}  // namespace cuda

namespace cpu {
namespace {
/// to[o,a,b,:] = 1/4 sum over p,q in {0,1} of from[o,a+step*p,b+step*q,:], inside `from` only; kernels of `from_size`
/// and `to_size` taps a side.
template <class T>
void sum_boxes(Stream& stream, ConstView from, int64_t from_size, int64_t to_size, int64_t step, View to) {
  const int64_t channels = to.dim(3);
  const T* const source = from.as<T>();
  T* const target = to.as<T>();
  parallel_for(stream, to.dim(0) * to_size * to_size, 2, [&](int64_t at) {
    const int64_t o = at / (to_size * to_size), a = at / to_size % to_size, b = at % to_size;
    T* const row = target + at * channels;
    for (int64_t i = 0; i < channels; ++i) {
      T sum = 0;
      for (int64_t p = 0; p < 2; ++p) {
        for (int64_t q = 0; q < 2; ++q) {
          const int64_t h = a + step * p, w = b + step * q;
          if (h < 0 || h >= from_size || w < 0 || w >= from_size) continue;
          sum += source[((o * from_size + h) * from_size + w) * channels + i];
        }
      }
      row[i] = T(0.25) * sum;
    }
  });
}
}  // namespace

void box_weights(Stream& stream, ConstView weight, View boxed) {
  for_cpu_real_type(weight.dtype(),
                    [&]<class T>() { sum_boxes<T>(stream, weight, weight.dim(1), boxed.dim(1), -1, boxed); });
}

void box_weights_backward(Stream& stream, ConstView dboxed, View dweight) {
  for_cpu_real_type(dboxed.dtype(),
                    [&]<class T>() { sum_boxes<T>(stream, dboxed, dboxed.dim(1), dweight.dim(1), 1, dweight); });
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView weight, ConstView boxed) {
  op.require(weight.rank() == 4 && weight.dim(1) == weight.dim(2) && weight.dim(1) % 2 == 1,
             "weight must be [O,k,k,I], k odd");
  op.require(boxed.shape() == Shape{weight.dim(0), weight.dim(1) + 1, weight.dim(2) + 1, weight.dim(3)},
             "boxed must be [O,k+1,k+1,I]");
  op.require_dtype(weight.dtype() == boxed.dtype(), "weight and boxed must have one dtype");
}
}  // namespace

void box_weights(Stream& stream, ConstView weight, View boxed) {
  const OpScope op(stream, "box_weights", {weight, boxed});
  check(op, weight, boxed);
  if (weight.count() == 0) return;
  pick<cpu::box_weights, simt::box_weights, cuda::box_weights>(stream)(stream, weight, boxed);
}

void box_weights_backward(Stream& stream, ConstView dboxed, View dweight) {
  const OpScope op(stream, "box_weights_backward", {dboxed, dweight});
  check(op, dweight, dboxed);
  if (dweight.count() == 0) return;
  pick<cpu::box_weights_backward, simt::box_weights_backward, cuda::box_weights_backward>(stream)(stream, dboxed,
                                                                                                  dweight);
}

}  // namespace ascore::kernels
