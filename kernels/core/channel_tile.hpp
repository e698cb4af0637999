#pragma once

#include "kernels/core/kernel.hpp"

/// How kernels walk NHWC images for per-channel sums: a block is 32 adjacent channels (threadIdx.x: coalesced) times 8
/// pixel lanes (threadIdx.y), which take every eighth pixel.
namespace ascore::kernels::ASCORE_BACKEND {

inline constexpr int kTileChannels = 32, kTileLanes = 8;

inline dim3 tile_block() {
  return dim3(kTileChannels, kTileLanes);
}
inline int64_t channel_tiles(int64_t channels) {
  return (channels + kTileChannels - 1) / kTileChannels;
}

/// Sum of `value` over the pixel lanes of each channel, in the order of the lanes; every lane gets it. `scratch` holds
/// kTileChannels * kTileLanes floats and is free for reuse on return.
__device__ __forceinline__ float lane_sum(float value, float* scratch) {
  scratch[threadIdx.y * kTileChannels + threadIdx.x] = value;
  __syncthreads();
  float sum = 0;
  for (int lane = 0; lane < kTileLanes; ++lane) sum += scratch[lane * kTileChannels + threadIdx.x];
  __syncthreads();
  return sum;
}

}  // namespace ascore::kernels::ASCORE_BACKEND
