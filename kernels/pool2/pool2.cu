#include "kernels/core/kernel.hpp"
#include "kernels/pool2/pool2.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread per element of the smaller image: (row of all images, column, channel), and the first pixel of its block.
struct Place {
  int64_t small, large;
  __device__ Place(int64_t i, int64_t W, int64_t C) {
    const int64_t c = i % C, w = i / C % W, row = i / (C * W);
    small = i;
    large = (2 * row * 2 * W + 2 * w) * C + c;
  }
};

template <class T>
__global__ void pool2_sum_kernel(const T* x, float factor, T* y, int64_t W, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const Place at(i, W, C);
  const T *const above = x + at.large, *const below = above + 2 * W * C;
  y[at.small] = narrow<T>(factor * ((widen(above[0]) + widen(above[C])) + (widen(below[0]) + widen(below[C]))));
}

template <class T>
__global__ void pool2_spread_kernel(const T* x, float factor, T* y, int64_t W, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const Place at(i, W, C);
  const T value = narrow<T>(factor * widen(x[at.small]));
  T *const above = y + at.large, *const below = above + 2 * W * C;
  above[0] = above[C] = below[0] = below[C] = value;
}

}  // namespace

void pool2_sum(Stream& stream, ConstView x, double factor, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(pool2_sum_kernel<T>, blocks_for(y.count(), kThreads), kThreads, 0, stream, x.as<T>(), factor, y.as<T>(),
           y.dim(2), y.dim(3), y.count());
  });
}

void pool2_spread(Stream& stream, ConstView x, double factor, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(pool2_spread_kernel<T>, blocks_for(x.count(), kThreads), kThreads, 0, stream, x.as<T>(), factor, y.as<T>(),
           x.dim(2), x.dim(3), x.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
