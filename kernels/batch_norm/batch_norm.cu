#include "kernels/batch_norm/batch_statistics.hpp"
#include "kernels/core/channel_tile.hpp"
#include "kernels/core/kernel.hpp"

#include <cmath>

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Block of 32 channels, the images shared out among the lanes: the moments of the batch, by its mean first, which is
/// summed up from image 0's.
__global__ void batch_statistics_kernel(const float* channel_mean, const float* channel_squares, float pixels,
                                        float eps, float momentum, float* mean, float* rstd, float* running_mean,
                                        float* running_var, int64_t N, int64_t C) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t c = int64_t(blockIdx.x) * kTileChannels + threadIdx.x;
  const bool inside = c < C;
  const float first = inside ? channel_mean[c] : 0.0f;
  float sum = 0, squares = 0;
  for (int64_t n = threadIdx.y; inside && n < N; n += kTileLanes) sum += channel_mean[n * C + c] - first;
  const float m = first + lane_sum(sum, scratch) / static_cast<float>(N);
  for (int64_t n = threadIdx.y; inside && n < N; n += kTileLanes) {
    const float d = channel_mean[n * C + c] - m;
    squares += channel_squares[n * C + c] + pixels * d * d;
  }
  squares = lane_sum(squares, scratch);
  if (!inside || threadIdx.y != 0) return;
  const float count = pixels * static_cast<float>(N);
  mean[c] = m;
  rstd[c] = 1.0f / sqrtf(squares / count + eps);
  running_mean[c] += momentum * (m - running_mean[c]);
  running_var[c] += momentum * (squares / (count - 1.0f) - running_var[c]);
}

}  // namespace

void batch_statistics(Stream& stream, ConstView channel_mean, ConstView channel_squares, int64_t pixels, double eps,
                      double momentum, View mean, View rstd, View running_mean, View running_var) {
  const int64_t N = channel_mean.dim(0), C = channel_mean.dim(1);
  launch(batch_statistics_kernel, dim3(static_cast<unsigned>(channel_tiles(C))), tile_block(), 0, stream,
         channel_mean.as<float>(), channel_squares.as<float>(), pixels, eps, momentum, mean.as<float>(),
         rstd.as<float>(), running_mean.as<float>(), running_var.as<float>(), N, C);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
