#include "kernels/core/distributions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/random_fill/random_fill.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread makes the four draws of one counter.
template <bool Normal>
__global__ void random_fill_kernel(NoiseKey key, float shift, float factor, float* y, int64_t groups, int64_t width) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= groups) return;
  const DrawGroup at = draw_group(i, width);
  const RandomBits bits = random_bits(key, at.row, at.group);
  const Draws draws = Normal ? normals(bits) : uniforms(bits);
#pragma unroll  // indexed at run time, the draws would lie in memory
  for (int j = 0; j < 4; ++j) {
    if (j < at.count) y[at.offset + j] = exact::add(shift, exact::mul(factor, draws.value[j]));
  }
}

template <bool Normal>
void fill(Stream& stream, const NoiseKey& key, double shift, double factor, View y) {
  float* const out = y.as<float>();
  if (y.count() == 0) return;
  const int64_t rows = y.rank() == 0 ? 1 : y.dim(0), width = y.count() / rows, groups = rows * groups_of(width);
  launch(random_fill_kernel<Normal>, blocks_for(groups, kThreads), kThreads, 0, stream, key, static_cast<float>(shift),
         static_cast<float>(factor), out, groups, width);
}

}  // namespace

void random_normal(Stream& stream, const NoiseKey& key, double mean, double sd, View y) {
  fill<true>(stream, key, mean, sd, y);
}

void random_uniform(Stream& stream, const NoiseKey& key, double low, double high, View y) {
  fill<false>(stream, key, low, high - low, y);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
