#include "kernels/core/kernel.hpp"
#include "kernels/fill/fill.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void fill_kernel(T* y, int64_t count, T value) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) y[i] = value;
}

}  // namespace

void fill(Stream& stream, View y, double value) {
  for_float_type(y.dtype(), [&]<class T>() {
    const T element = narrow<T>(static_cast<float>(value));
    launch(fill_kernel<T>, blocks_for(y.count(), kThreads), kThreads, 0, stream, y.as<T>(), y.count(), element);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
