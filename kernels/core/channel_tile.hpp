#pragma once

#include "kernels/core/dtype.hpp"
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

/// Mean of a channel over the pixels of an image, and the sum of squared distances from it.
struct ChannelMoments {
  float mean, squares;
};

/// The moments of the channel whose pixel 0 `from` points to; called by the whole block, `inside` where the channel
/// exists. Two passes: in f32, with mean 100 and spread 0.1, E[x^2] - E[x]^2 would be wrong by more than the variance
/// itself. The second also sums up by how far the first missed the mean. `scratch` as in lane_sum.
template <class T>
__device__ __forceinline__ ChannelMoments channel_moments_of(const T* from, bool inside, int64_t P, int64_t C,
                                                             float* scratch) {
  const float count = static_cast<float>(P);
  float sum = 0, missed = 0, squares = 0;
  for (int64_t p = threadIdx.y; inside && p < P; p += kTileLanes) sum += widen(from[p * C]);
  const float near = lane_sum(sum, scratch) / count;
  for (int64_t p = threadIdx.y; inside && p < P; p += kTileLanes) {
    const float d = widen(from[p * C]) - near;
    missed += d;
    squares += d * d;
  }
  missed = lane_sum(missed, scratch) / count;
  return {near + missed, lane_sum(squares, scratch) - count * missed * missed};
}

/// Pixels that a block of an elementwise kernel takes.
inline constexpr int64_t kTilePixels = 256;

/// Where such a block works: 32 channels of a run of pixels of image n; a thread has channel c and pixels begin,
/// begin + kTileLanes, ... below end.
struct TilePlace {
  int64_t n, c, begin, end;
  __device__ TilePlace(int64_t P, int64_t tiles, int64_t chunks) {
    const int64_t block = blockIdx.x, first = block / tiles % chunks * kTilePixels;
    c = block % tiles * kTileChannels + threadIdx.x;
    begin = first + threadIdx.y;
    end = first + kTilePixels < P ? first + kTilePixels : P;
    n = block / (tiles * chunks);
  }
};
inline int64_t pixel_chunks(int64_t pixels) {
  return (pixels + kTilePixels - 1) / kTilePixels;
}

}  // namespace ascore::kernels::ASCORE_BACKEND
