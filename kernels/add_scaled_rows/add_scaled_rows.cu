#include "kernels/add_scaled_rows/add_scaled_rows.hpp"
#include "kernels/core/kernel.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void add_scaled_rows_kernel(const float* x, const float* sigma, const float* z, float* y, int64_t count,
                                       int64_t width) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const float scaled = sigma[i / width] * z[i];
  y[i] = x ? x[i] + scaled : scaled;
}

}  // namespace

void add_scaled_rows(Stream& stream, ConstView x, ConstView sigma, ConstView z, View y) {
  const float* const pz = z.as<float>();
  if (z.count() == 0) return;
  launch(add_scaled_rows_kernel, blocks_for(z.count(), kThreads), kThreads, 0, stream, x.as<float>(), sigma.as<float>(),
         pz, y.as<float>(), z.count(), z.count() / z.dim(0));
}

}  // namespace ascore::kernels::ASCORE_BACKEND
