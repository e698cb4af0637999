#include "kernels/core/kernel.hpp"
#include "kernels/max_pool2/max_pool2.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread per element of y.
template <class T>
__global__ void max_pool2_kernel(const T* x, T* y, unsigned char* winner, int64_t W, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t c = i % C, w = i / C % W, row = i / (C * W);
  const T* const from = x + (2 * row * 2 * W + 2 * w) * C + c;
  float best = widen(from[0]);
  int number = 0;
#pragma unroll
  for (int k = 1; k < 4; ++k) {
    const float value = widen(from[(k / 2 * 2 * W + k % 2) * C]);
    if (value > best || value != value) {
      best = value;
      number = k;
    }
  }
  y[i] = narrow<T>(best);
  if (winner) winner[i] = static_cast<unsigned char>(number);
}

/// A thread per element of dy writes the four of its block.
template <class T>
__global__ void max_pool2_backward_kernel(const unsigned char* winner, const T* dy, T* dx, int64_t W, int64_t C,
                                          int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t c = i % C, w = i / C % W, row = i / (C * W);
  T* const to = dx + (2 * row * 2 * W + 2 * w) * C + c;
  const int number = winner[i];
  const T value = dy[i];
#pragma unroll
  for (int k = 0; k < 4; ++k) to[(k / 2 * 2 * W + k % 2) * C] = k == number ? value : narrow<T>(0.0f);
}

}  // namespace

void max_pool2(Stream& stream, ConstView x, View y, View winner) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(max_pool2_kernel<T>, blocks_for(y.count(), kThreads), kThreads, 0, stream, x.as<T>(), y.as<T>(),
           winner.present() ? winner.as<uint8_t>() : nullptr, y.dim(2), y.dim(3), y.count());
  });
}

void max_pool2_backward(Stream& stream, ConstView winner, ConstView dy, View dx) {
  for_float_type(dy.dtype(), [&]<class T>() {
    launch(max_pool2_backward_kernel<T>, blocks_for(dy.count(), kThreads), kThreads, 0, stream, winner.as<uint8_t>(),
           dy.as<T>(), dx.as<T>(), dy.dim(2), dy.dim(3), dy.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
