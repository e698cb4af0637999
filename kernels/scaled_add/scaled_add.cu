#include "kernels/core/kernel.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void scaled_add_kernel(float a, const T* x, float b, const T* z, T* y, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const float product = a * widen(x[i]);
  y[i] = narrow<T>(z ? product + b * widen(z[i]) : product);
}

}  // namespace

void scaled_add(Stream& stream, double a, ConstView x, double b, ConstView z, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(scaled_add_kernel<T>, blocks_for(x.count(), kThreads), kThreads, 0, stream, a, x.as<T>(), b, z.as<T>(),
           y.as<T>(), x.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
