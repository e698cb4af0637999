#include "kernels/core/distributions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/sigma_draw/sigma_draw.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 128;

__global__ void sigma_draw_kernel(NoiseKey key, const float* levels, int64_t count, float* sigma, int32_t* index,
                                  int64_t samples) {
  const int64_t n = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (n >= samples) return;
  const int32_t i = index_from_bits(random_bits(key, n, 0).word[0], count);
  sigma[n] = levels[i];
  if (index) index[n] = i;
}

}  // namespace

void sigma_draw(Stream& stream, const NoiseKey& key, ConstView levels, View sigma, View index) {
  launch(sigma_draw_kernel, blocks_for(sigma.count(), kThreads), kThreads, 0, stream, key, levels.as<float>(),
         levels.count(), sigma.as<float>(), index.as<int32_t>(), sigma.count());
}

}  // namespace ascore::kernels::ASCORE_BACKEND
