#include "kernels/core/exact_f32.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/quantize/quantize.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void quantize_kernel(const float* x, uint8_t* y, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const float value = x[i], clamped = value > 0 ? (value < 1 ? value : 1.0f) : 0.0f;  // NaN compares false
  y[i] = static_cast<uint8_t>(exact::add(exact::mul(255.0f, clamped), 0.5f));
}

}  // namespace

void quantize(Stream& stream, ConstView x, View y) {
  launch(quantize_kernel, blocks_for(x.count(), kThreads), kThreads, 0, stream, x.as<float>(), y.as<uint8_t>(),
         x.count());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
