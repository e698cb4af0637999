#include "kernels/append_column/append_column.hpp"
#include "kernels/core/kernel.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread per element of y.
template <class T>
__global__ void append_column_kernel(const T* x, const T* c, T* y, int64_t D, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t n = i / (D + 1), d = i % (D + 1);
  y[i] = d < D ? x[n * D + d] : c[n];
}

/// A thread per element of dx.
template <class T>
__global__ void append_column_backward_kernel(const T* dy, T* dx, int64_t D, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) dx[i] = dy[i / D * (D + 1) + i % D];
}

}  // namespace

void append_column(Stream& stream, ConstView x, ConstView c, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(append_column_kernel<T>, blocks_for(y.count(), kThreads), kThreads, 0, stream, x.as<T>(), c.as<T>(),
           y.as<T>(), x.dim(1), y.count());
  });
}

void append_column_backward(Stream& stream, ConstView dy, View dx) {
  for_float_type(dx.dtype(), [&]<class T>() {
    launch(append_column_backward_kernel<T>, blocks_for(dx.count(), kThreads), kThreads, 0, stream, dy.as<T>(),
           dx.as<T>(), dx.dim(1), dx.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
