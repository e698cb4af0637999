#include "kernels/core/channel_tile.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/pixel_sum/pixel_sum.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Block (tile, n): the sums of 32 channels of image n.
template <class T>
__global__ void pixel_sum_kernel(const T* x, T* y, int64_t P, int64_t C, int64_t tiles) {
  float* const scratch = shared_array<float, kTileChannels * kTileLanes>();
  const int64_t n = blockIdx.x / tiles, c = blockIdx.x % tiles * kTileChannels + threadIdx.x;
  const T* const from = x + n * P * C + c;
  float sum = 0;
  for (int64_t p = threadIdx.y; c < C && p < P; p += kTileLanes) sum += widen(from[p * C]);
  sum = lane_sum(sum, scratch);
  if (c < C && threadIdx.y == 0) y[n * C + c] = narrow<T>(sum);
}

template <class T>
__global__ void pixel_sum_backward_kernel(const T* dy, T* dx, int64_t image, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) dx[i] = dy[i / image * C + i % C];
}

}  // namespace

void pixel_sum(Stream& stream, ConstView x, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    const int64_t tiles = channel_tiles(x.dim(3));
    launch(pixel_sum_kernel<T>, dim3(static_cast<unsigned>(x.dim(0) * tiles)), tile_block(), 0, stream, x.as<T>(),
           y.as<T>(), x.dim(1) * x.dim(2), x.dim(3), tiles);
  });
}

void pixel_sum_backward(Stream& stream, ConstView dy, View dx) {
  for_float_type(dy.dtype(), [&]<class T>() {
    launch(pixel_sum_backward_kernel<T>, blocks_for(dx.count(), kThreads), kThreads, 0, stream, dy.as<T>(), dx.as<T>(),
           dx.dim(1) * dx.dim(2) * dx.dim(3), dx.dim(3), dx.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
