#include "kernels/upsampled_weights/upsampled_weights.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::upsampled_weights) upsampled_weights;
decltype(kernels::upsampled_weights_backward) upsampled_weights_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::upsampled_weights) upsampled_weights;
decltype(kernels::upsampled_weights_backward) upsampled_weights_backward;
}  // namespace cuda

namespace cpu {
namespace {
/// to[m,a,b,n] = sum over p,q in {0,1} of from[n,last-a+p,last-b+q,m], inside `from` only, where `last` is the last tap
/// of the smaller kernel.
void sum_turned_boxes(Stream& stream, ConstView from, View to) {
  constexpr int64_t kBlock = 32;  // squares that stay in the cache while they are transposed
  for_cpu_real_type(from.dtype(), [&]<class T>() {
    const int64_t from_size = from.dim(1), to_size = to.dim(1), M = to.dim(0), N = to.dim(3);
    const int64_t last = std::min(from_size, to_size) - 1;
    const T* const source = from.as<T>();
    T* const target = to.as<T>();
    parallel_for(stream, (M + kBlock - 1) / kBlock * to_size * to_size, 2, [&](int64_t task) {
      const int64_t first_m = task / (to_size * to_size) * kBlock, end_m = std::min(first_m + kBlock, M);
      const int64_t a = task / to_size % to_size, b = task % to_size;
      for (int64_t first_n = 0; first_n < N; first_n += kBlock) {
        const int64_t end_n = std::min(first_n + kBlock, N);
        for (int64_t m = first_m; m < end_m; ++m) {
          T* const row = target + ((m * to_size + a) * to_size + b) * N;
          for (int64_t n = first_n; n < end_n; ++n) {
            T sum = 0;
            for (int64_t p = 0; p < 2; ++p) {
              for (int64_t q = 0; q < 2; ++q) {
                const int64_t h = last - a + p, w = last - b + q;
                if (h < 0 || h >= from_size || w < 0 || w >= from_size) continue;
                sum += source[((n * from_size + h) * from_size + w) * M + m];
              }
            }
            row[n] = sum;
          }
        }
      }
    });
  });
}
}  // namespace

void upsampled_weights(Stream& stream, ConstView weight, View spread) {
  sum_turned_boxes(stream, weight, spread);
}

void upsampled_weights_backward(Stream& stream, ConstView dspread, View dweight) {
  sum_turned_boxes(stream, dspread, dweight);
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView weight, ConstView spread) {
  op.require(weight.rank() == 4 && weight.dim(1) == weight.dim(2) && weight.dim(1) % 2 == 1,
             "weight must be [O,k,k,I], k odd");
  op.require(spread.shape() == Shape{weight.dim(3), weight.dim(1) + 1, weight.dim(2) + 1, weight.dim(0)},
             "spread must be [I,k+1,k+1,O]");
  op.require_dtype(weight.dtype() == spread.dtype(), "weight and spread must have one dtype");
}
}  // namespace

void upsampled_weights(Stream& stream, ConstView weight, View spread) {
  const OpScope op(stream, "upsampled_weights", {weight, spread});
  check(op, weight, spread);
  if (weight.count() == 0) return;
  pick<cpu::upsampled_weights, simt::upsampled_weights, cuda::upsampled_weights>(stream)(stream, weight, spread);
}

void upsampled_weights_backward(Stream& stream, ConstView dspread, View dweight) {
  const OpScope op(stream, "upsampled_weights_backward", {dspread, dweight});
  check(op, dweight, dspread);
  if (dweight.count() == 0) return;
  pick<cpu::upsampled_weights_backward, simt::upsampled_weights_backward, cuda::upsampled_weights_backward>(stream)(
      stream, dspread, dweight);
}

}  // namespace ascore::kernels
