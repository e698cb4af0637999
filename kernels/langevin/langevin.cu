#include "kernels/core/distributions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/langevin/langevin.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// x + a d + b z, rounded after every operation as the cpu does: `d` and `z` null where they do not take part.
__device__ __forceinline__ float updated(float x, float a, const float* d, float b, const float* z) {
  if (d) x = exact::add(x, exact::mul(a, *d));
  return z ? exact::add(x, exact::mul(b, *z)) : x;
}

/// A thread updates the four elements of one counter.
__global__ void langevin_kernel(float* x, const float* d, const double* coefficients, NoiseKey key, int64_t groups,
                                int64_t width) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= groups) return;
  const float a = static_cast<float>(coefficients[0]), b = static_cast<float>(coefficients[1]);
  const DrawGroup at = draw_group(i, width);
  const bool noisy = b != 0;
  const Draws z = noisy ? normals(random_bits(key, at.row, at.group)) : Draws{};
#pragma unroll  // indexed at run time, the draws would lie in memory
  for (int j = 0; j < 4; ++j) {
    if (j >= at.count) break;
    const int64_t k = at.offset + j;
    x[k] = updated(x[k], a, d ? d + k : nullptr, b, noisy ? &z.value[j] : nullptr);
  }
}

__global__ void langevin_given_kernel(float* x, const float* d, const double* coefficients, const float* z,
                                      int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const float a = static_cast<float>(coefficients[0]), b = static_cast<float>(coefficients[1]);
  x[i] = updated(x[i], a, d ? d + i : nullptr, b, z && b != 0 ? z + i : nullptr);
}

}  // namespace

void langevin_step(Stream& stream, View x, ConstView d, StepScalars coefficients, const NoiseKey& key) {
  float* const px = x.as<float>();
  if (x.count() == 0) return;
  const int64_t rows = x.dim(0), width = x.count() / rows, groups = rows * groups_of(width);
  launch(langevin_kernel, blocks_for(groups, kThreads), kThreads, 0, stream, px, d.as<float>(),
         coefficients.as<double>(), key, groups, width);
}

void langevin_step_given(Stream& stream, View x, ConstView d, StepScalars coefficients, ConstView z) {
  launch(langevin_given_kernel, blocks_for(x.count(), kThreads), kThreads, 0, stream, x.as<float>(), d.as<float>(),
         coefficients.as<double>(), z.as<float>(), x.count());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
