#include "kernels/pixel_sum/pixel_sum.hpp"

#include "kernels/core/channel_sums.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::pixel_sum) pixel_sum;
decltype(kernels::pixel_sum_backward) pixel_sum_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::pixel_sum) pixel_sum;
decltype(kernels::pixel_sum_backward) pixel_sum_backward;
}  // namespace cuda

namespace cpu {
void pixel_sum(Stream& stream, ConstView x, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const int64_t P = x.dim(1) * x.dim(2), C = x.dim(3), tiles = (C + kChannelTile - 1) / kChannelTile;
    const T* const px = x.as<T>();
    T* const py = y.as<T>();
    parallel_for(stream, x.dim(0) * tiles, 2, [&](int64_t i) {
      const int64_t n = i / tiles, first = i % tiles * kChannelTile, width = std::min(kChannelTile, C - first);
      const T* const from = px + n * P * C + first;
      double sums[kChannelTile];
      channel_sums<Acc>(
          P, width, [=](int64_t p, int64_t c) { return widen(from[p * C + c]); }, sums);
      for (int64_t c = 0; c < width; ++c) py[n * C + first + c] = narrow<T>(static_cast<Acc>(sums[c]));
    });
  });
}

void pixel_sum_backward(Stream& stream, ConstView dy, View dx) {
  for_cpu_float_type(dy.dtype(), [&]<class T>() {
    const int64_t P = dx.dim(1) * dx.dim(2), C = dx.dim(3);
    const T* const from = dy.as<T>();
    T* const to = dx.as<T>();
    parallel_for(stream, dx.dim(0), 2, [&](int64_t n) {
      for (int64_t p = 0; p < P; ++p) std::copy(from + n * C, from + (n + 1) * C, to + (n * P + p) * C);
    });
  });
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView image, ConstView vector) {
  op.require(image.rank() == 4 && vector.shape() == Shape{image.dim(0), image.dim(3)},
             "images must be [N,H,W,C], their sums [N,C]");
  op.require_dtype(image.dtype() == vector.dtype(), "images and sums must have one dtype");
}
}  // namespace

void pixel_sum(Stream& stream, ConstView x, View y) {
  const OpScope op(stream, "pixel_sum", {x, y});
  check(op, x, y);
  pick<cpu::pixel_sum, simt::pixel_sum, cuda::pixel_sum>(stream)(stream, x, y);
}

void pixel_sum_backward(Stream& stream, ConstView dy, View dx) {
  const OpScope op(stream, "pixel_sum_backward", {dy, dx});
  check(op, dx, dy);
  if (dx.count() == 0) return;
  pick<cpu::pixel_sum_backward, simt::pixel_sum_backward, cuda::pixel_sum_backward>(stream)(stream, dy, dx);
}

}  // namespace ascore::kernels
