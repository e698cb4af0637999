#include "kernels/channel_norm/channel_statistics.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/core/map.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

struct InverseDeviation {
  float factor, eps;
  __device__ float operator()(float squares) const { return 1.0f / sqrtf(factor * squares + eps); }
};

__global__ void scaled_sums_kernel(const float* sums, const float* gamma, const float* rstd, float factor, float* y,
                                   int64_t count, int64_t C) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) y[i] = factor * rstd[i] * (gamma ? gamma[i % C] : 1.0f) * sums[i];
}

}  // namespace

void inverse_deviation(Stream& stream, ConstView squares, double factor, double eps, View rstd) {
  const InverseDeviation f{static_cast<float>(factor), static_cast<float>(eps)};
  map_elements(stream, f, squares.count(), rstd.as<float>(), squares.as<float>());
}

void scaled_sums(Stream& stream, ConstView sums, ConstView gamma, ConstView rstd, double factor, View y) {
  launch(scaled_sums_kernel, blocks_for(sums.count(), kThreads), kThreads, 0, stream, sums.as<float>(),
         gamma.as<float>(), rstd.as<float>(), factor, y.as<float>(), sums.count(), sums.dim(-1));
}

}  // namespace ascore::kernels::ASCORE_BACKEND
