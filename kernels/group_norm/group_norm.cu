#include "kernels/core/kernel.hpp"
#include "kernels/group_norm/group_reductions.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

struct Plus {
  __device__ float operator()(float a, float b) const { return a + b; }
};

/// The group that this warp works on.
__device__ __forceinline__ int64_t group_of_warp() {
  return (int64_t(blockIdx.x) * kThreads + threadIdx.x) / kWarpSize;
}
dim3 blocks_for_groups(int64_t count) {
  return dim3(blocks_for(count, kThreads / kWarpSize));
}

/// Warp per group: the channels' moments put together, by the group's mean first, which is summed up from channel 0's.
__global__ void group_statistics_kernel(const float* channel_mean, const float* channel_squares, float* mean,
                                        float* rstd, int64_t groups, int64_t width, float pixels, float eps) {
  const int64_t group = group_of_warp();
  if (group >= groups) return;
  const int lane = threadIdx.x % kWarpSize;
  const float *const mu = channel_mean + group * width, *const inside = channel_squares + group * width;
  float sum = 0, squares = 0;
  for (int64_t c = lane; c < width; c += kWarpSize) sum += mu[c] - mu[0];
  const float m = mu[0] + warp_reduce(sum, Plus{}) / static_cast<float>(width);
  for (int64_t c = lane; c < width; c += kWarpSize) {
    const float d = mu[c] - m;
    squares += inside[c] / pixels + d * d;
  }
  const float var = warp_reduce(squares, Plus{}) / static_cast<float>(width);
  if (lane != 0) return;
  mean[group] = m;
  rstd[group] = 1.0f / sqrtf(var + eps);
}

/// Warp per group: the channels' sums, weighted by gamma.
__global__ void group_gradient_kernel(const float* sum_g, const float* sum_gx, const float* gamma, const float* rstd,
                                      float* offset, float* slope, int64_t count, int64_t groups, int64_t width,
                                      float pixels) {
  const int64_t group = group_of_warp();
  if (group >= count) return;
  const int lane = threadIdx.x % kWarpSize;
  const int64_t first = group * width, parameter = group % groups * width;
  float total_g = 0, total_gx = 0;
  for (int64_t c = lane; c < width; c += kWarpSize) {
    const float factor = gamma ? gamma[parameter + c] : 1.0f;
    total_g += factor * sum_g[first + c];
    total_gx += factor * sum_gx[first + c];
  }
  total_g = warp_reduce(total_g, Plus{});
  total_gx = warp_reduce(total_gx, Plus{});
  if (lane != 0) return;
  const float scale = rstd[group] / (pixels * static_cast<float>(width));
  offset[group] = scale * total_g;
  slope[group] = scale * total_gx;
}

}  // namespace

void group_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      View mean, View rstd) {
  launch(group_statistics_kernel, blocks_for_groups(mean.count()), kThreads, 0, stream, channel_mean.as<float>(),
         channel_squares.as<float>(), mean.as<float>(), rstd.as<float>(), mean.count(),
         channel_mean.dim(1) / mean.dim(1), pixels, eps);
}

void group_gradient(Stream& stream, ConstView sum_g, ConstView sum_gx, ConstView gamma, ConstView rstd, int64_t pixels,
                    View offset, View slope) {
  launch(group_gradient_kernel, blocks_for_groups(rstd.count()), kThreads, 0, stream, sum_g.as<float>(),
         sum_gx.as<float>(), gamma.as<float>(), rstd.as<float>(), offset.as<float>(), slope.as<float>(), rstd.count(),
         rstd.dim(1), sum_g.dim(1) / rstd.dim(1), pixels);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
