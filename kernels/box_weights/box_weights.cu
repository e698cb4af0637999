#include "kernels/box_weights/box_weights.hpp"
#include "kernels/core/kernel.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread per element of `to`: the box of up to four taps of `from` that begins at its own, towards `step`.
__global__ void sum_boxes_kernel(const float* from, float* to, int from_size, int to_size, int step, int channels,
                                 int64_t count) {
  const int64_t at = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= count) return;
  const int64_t tap = at / channels, o = tap / (to_size * to_size);
  const int i = int(at % channels), a = int(tap / to_size % to_size), b = int(tap % to_size);
  float sum = 0;
#pragma unroll
  for (int p = 0; p < 2; ++p) {
#pragma unroll
    for (int q = 0; q < 2; ++q) {
      const int h = a + step * p, w = b + step * q;
      if (h < 0 || h >= from_size || w < 0 || w >= from_size) continue;
      sum += from[((o * from_size + h) * from_size + w) * channels + i];
    }
  }
  to[at] = 0.25f * sum;
}

void sum_boxes(Stream& stream, ConstView from, int step, View to) {
  launch(sum_boxes_kernel, blocks_for(to.count(), kThreads), kThreads, 0, stream, from.as<float>(), to.as<float>(),
         from.dim(1), to.dim(1), step, to.dim(3), to.count());
}

}  // namespace

void box_weights(Stream& stream, ConstView weight, View boxed) {
  sum_boxes(stream, weight, -1, boxed);
}

void box_weights_backward(Stream& stream, ConstView dboxed, View dweight) {
  sum_boxes(stream, dboxed, 1, dweight);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
