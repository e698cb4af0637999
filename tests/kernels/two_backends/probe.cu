#include "kernels/core/kernel.hpp"
#include "tests/kernels/two_backends/probe.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {
__global__ void probe_kernel(float* out) {
  float* scratch = shared_array<float, 2>();
  float* values = dynamic_shared<float>();
  values[63 - threadIdx.x] = static_cast<float>(threadIdx.x);
  __syncthreads();
  out[threadIdx.x] = block_sum<64>(values[threadIdx.x], scratch);
}
}  // namespace

void probe(Stream& stream, float* out) {
  launch(probe_kernel, 1, 64, 64 * sizeof(float), stream, out);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
