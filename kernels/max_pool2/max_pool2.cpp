#include "kernels/max_pool2/max_pool2.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

namespace ascore::kernels {

namespace simt {
decltype(kernels::max_pool2) max_pool2;
decltype(kernels::max_pool2_backward) max_pool2_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::max_pool2) max_pool2;
decltype(kernels::max_pool2_backward) max_pool2_backward;
}  // namespace cuda

namespace cpu {
void max_pool2(Stream& stream, ConstView x, View y, View winner) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const int64_t W = y.dim(2), C = y.dim(3);
    const T* const px = x.as<T>();
    T* const py = y.as<T>();
    uint8_t* const pw = winner ? winner.as<uint8_t>() : nullptr;
    parallel_for(stream, y.dim(0) * y.dim(1), 2, [&](int64_t row) {
      for (int64_t w = 0; w < W; ++w) {
        const T* const from = px + (2 * row * 2 * W + 2 * w) * C;
        const T* const pixels[4] = {from, from + C, from + 2 * W * C, from + 2 * W * C + C};
        const int64_t at = (row * W + w) * C;
        for (int64_t c = 0; c < C; ++c) {
          Acc best = widen(pixels[0][c]);
          uint8_t number = 0;
          for (uint8_t k = 1; k < 4; ++k) {
            const Acc value = widen(pixels[k][c]);
            const bool better = (value > best) | (value != value);
            best = better ? value : best;
            number = better ? k : number;
          }
          py[at + c] = narrow<T>(best);
          if (pw) pw[at + c] = number;
        }
      }
    });
  });
}

void max_pool2_backward(Stream& stream, ConstView winner, ConstView dy, View dx) {
  for_cpu_float_type(dy.dtype(), [&]<class T>() {
    const int64_t W = dy.dim(2), C = dy.dim(3);
    const uint8_t* const pw = winner.as<uint8_t>();
    const T* const from = dy.as<T>();
    T* const to = dx.as<T>();
    parallel_for(stream, dx.dim(0) * dx.dim(1), 2, [&](int64_t row) {
      for (int64_t w = 0; w < 2 * W; ++w) {
        const int64_t at = (row / 2 * W + w / 2) * C, number = row % 2 * 2 + w % 2;
        T* const pixel = to + (row * 2 * W + w) * C;
        for (int64_t c = 0; c < C; ++c) pixel[c] = pw[at + c] == number ? from[at + c] : T{};
      }
    });
  });
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView large, ConstView small, ConstView winner) {
  op.require(large.rank() == 4 && large.dim(1) % 2 == 0 && large.dim(2) % 2 == 0,
             "the larger image must be [N,H,W,C], H and W even");
  op.require(small.shape() == Shape{large.dim(0), large.dim(1) / 2, large.dim(2) / 2, large.dim(3)},
             "the smaller must be half as high and wide as the larger");
  op.require(!winner || winner.shape() == small.shape(), "winner must have the shape of the smaller");
  op.require_dtype(small.dtype() == large.dtype(), "both images must have one dtype");
  op.require_dtype(!winner || winner.dtype() == DType::u8, "winner must be u8");
}
}  // namespace

void max_pool2(Stream& stream, ConstView x, View y, View winner) {
  const OpScope op(stream, "max_pool2", {x, y, winner});
  check(op, x, y, winner);
  if (x.count() == 0) return;
  pick<cpu::max_pool2, simt::max_pool2, cuda::max_pool2>(stream)(stream, x, y, winner);
}

void max_pool2_backward(Stream& stream, ConstView winner, ConstView dy, View dx) {
  const OpScope op(stream, "max_pool2_backward", {winner, dy, dx});
  op.require(winner.present(), "winner must be present");
  check(op, dx, dy, winner);
  if (dx.count() == 0) return;
  pick<cpu::max_pool2_backward, simt::max_pool2_backward, cuda::max_pool2_backward>(stream)(stream, winner, dy, dx);
}

}  // namespace ascore::kernels
