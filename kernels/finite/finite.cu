#include "kernels/core/kernel.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/finite/finite.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Integers add up to the same number in any order: an atomic is deterministic here.
template <class T>
__global__ void count_nonfinite_kernel(const T* x, int64_t count, int* total) {
  int* scratch = shared_array<int, kThreads / kWarpSize>();
  int found = 0;
  for (int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x; i < count; i += int64_t(gridDim.x) * kThreads) {
    const float value = widen(x[i]);
    found += !(value - value == 0);
  }
  found = block_sum<kThreads>(found, scratch);
  if (threadIdx.x == 0 && found) atomicAdd(total, found);
}

}  // namespace

void count_nonfinite(Stream& stream, ConstView x, View count) {
  for_float_type(x.dtype(), [&]<class T>() {
    fill_bytes(stream, count, 0);
    launch(count_nonfinite_kernel<T>, blocks_for(x.count(), kThreads, 1024), kThreads, 0, stream, x.as<T>(), x.count(),
           count.as<int32_t>());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
