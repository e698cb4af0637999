#include "kernels/core/kernel.hpp"
#include "kernels/pad_top_left/pad_top_left.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread per element of the larger image: element (line, column) of it, and of the smaller one where that has it.
struct Place {
  int64_t small;  ///< negative on the border
  __device__ Place(int64_t i, int64_t H, int64_t row, int64_t C) {
    const int64_t line = i / (row + C), column = i % (row + C) - C, n = line / (H + 1), h = line % (H + 1) - 1;
    small = h < 0 || column < 0 ? -1 : (n * H + h) * row + column;
  }
};

template <class T>
__global__ void pad_top_left_kernel(const T* x, T* y, int64_t H, int64_t row, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const Place at(i, H, row, C);
  y[i] = at.small < 0 ? narrow<T>(0.0f) : x[at.small];
}

template <class T>
__global__ void crop_top_left_kernel(const T* y, T* x, int64_t H, int64_t row, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const Place at(i, H, row, C);
  if (at.small >= 0) x[at.small] = y[i];
}

}  // namespace

void pad_top_left(Stream& stream, ConstView x, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(pad_top_left_kernel<T>, blocks_for(y.count(), kThreads), kThreads, 0, stream, x.as<T>(), y.as<T>(), x.dim(1),
           x.dim(2) * x.dim(3), x.dim(3), y.count());
  });
}

void crop_top_left(Stream& stream, ConstView y, View x) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(crop_top_left_kernel<T>, blocks_for(y.count(), kThreads), kThreads, 0, stream, y.as<T>(), x.as<T>(),
           x.dim(1), x.dim(2) * x.dim(3), x.dim(3), y.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
