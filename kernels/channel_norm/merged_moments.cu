#include "kernels/channel_norm/merged_moments.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/core/run_moments_device.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Block (tile, n): the moments of 32 channels of image n.
__global__ void merged_moments_kernel(const float* runs, float* mean, float* squares, int64_t S, int64_t P, int64_t C,
                                      int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x;
  const ChannelMoments moments = merged_moments_of(runs + n * S * 2 * C + c, c < C, S, P, C, scratch);
  if (c >= C || threadIdx.y != 0) return;
  mean[n * C + c] = moments.mean;
  squares[n * C + c] = moments.squares;
}

}  // namespace

void merged_moments(Stream& stream, ConstView runs, int64_t pixels, View mean, View squares) {
  const int64_t N = runs.dim(0), S = runs.dim(1), C = runs.dim(3), tiles = channel_tiles(C);
  launch(merged_moments_kernel, dim3(static_cast<unsigned>(N * tiles)), tile_block(), 0, stream, runs.as<float>(),
         mean.as<float>(), squares.as<float>(), S, pixels, C, tiles);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
