#include "kernels/core/distributions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/perturb/perturb.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread perturbs the four elements of one counter.
__global__ void perturb_kernel(const float* x, const float* sigma, NoiseKey key, float* y, float* minus_z,
                               int64_t groups, int64_t width) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= groups) return;
  const DrawGroup at = draw_group(i, width);
  const Draws z = normals(random_bits(key, at.row, at.group));
  const float spread = sigma[at.row];
#pragma unroll  // indexed at run time, the draws would lie in memory
  for (int j = 0; j < 4; ++j) {
    if (j >= at.count) break;
    y[at.offset + j] = exact::add(x[at.offset + j], exact::mul(spread, z.value[j]));
    if (minus_z) minus_z[at.offset + j] = -z.value[j];
  }
}

}  // namespace

void perturb(Stream& stream, ConstView x, ConstView sigma, const NoiseKey& key, View y, View minus_z) {
  const float* const px = x.as<float>();
  if (x.count() == 0) return;
  const int64_t rows = x.dim(0), width = x.count() / rows, groups = rows * groups_of(width);
  launch(perturb_kernel, blocks_for(groups, kThreads), kThreads, 0, stream, px, sigma.as<float>(), key, y.as<float>(),
         minus_z.as<float>(), groups, width);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
