#include "kernels/core/distributions.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/replace_known/replace_known.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread replaces the four elements of one counter.
__global__ void replace_known_kernel(float* x, const float* reference, const uint8_t* mask, const double* sigma,
                                     NoiseKey key, int64_t groups, int64_t width) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= groups) return;
  const DrawGroup at = draw_group(i, width);
  const int64_t in_row = at.offset - at.row * width;
  const Draws z = normals(random_bits(key, at.row, at.group));
  const float spread = static_cast<float>(sigma[0]);
#pragma unroll  // indexed at run time, the draws would lie in memory
  for (int j = 0; j < 4; ++j) {
    if (j >= at.count) break;
    if (mask[in_row + j]) x[at.offset + j] = exact::add(reference[at.offset + j], exact::mul(spread, z.value[j]));
  }
}

}  // namespace

void replace_known(Stream& stream, View x, ConstView reference, ConstView mask, StepScalars sigma,
                   const NoiseKey& key) {
  float* const px = x.as<float>();
  if (x.count() == 0) return;
  const int64_t rows = x.dim(0), width = x.count() / rows, groups = rows * groups_of(width);
  launch(replace_known_kernel, blocks_for(groups, kThreads), kThreads, 0, stream, px, reference.as<float>(),
         mask.as<uint8_t>(), sigma.as<double>(), key, groups, width);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
