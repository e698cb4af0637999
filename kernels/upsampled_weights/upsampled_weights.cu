#include "kernels/core/kernel.hpp"
#include "kernels/upsampled_weights/upsampled_weights.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kTile = 32, kLines = 8;

/// Block (tap, tile of m, tile of n): to[m,a,b,n] = sum over p,q in {0,1} of from[n,last-a+p,last-b+q,m], inside `from`
/// only. A square of 32x32 sums is turned in shared memory, so that both reads and writes are along rows.
__global__ void sum_turned_boxes_kernel(const float* from, float* to, int from_size, int to_size, int last, int64_t M,
                                        int64_t N) {
  float* const square = shared_array<float, kTile*(kTile + 1)>();  // a column more: no two of a column in one bank
  const int a = int(blockIdx.x) / to_size, b = int(blockIdx.x) % to_size;
  const int64_t first_m = int64_t(blockIdx.y) * kTile, first_n = int64_t(blockIdx.z) * kTile;
  for (int line = int(threadIdx.y); line < kTile; line += kLines) {
    const int64_t n = first_n + line, m = first_m + threadIdx.x;
    if (n >= N || m >= M) continue;
    float sum = 0;
#pragma unroll
    for (int p = 0; p < 2; ++p) {
#pragma unroll
      for (int q = 0; q < 2; ++q) {
        const int h = last - a + p, w = last - b + q;
        if (h < 0 || h >= from_size || w < 0 || w >= from_size) continue;
        sum += from[((n * from_size + h) * from_size + w) * M + m];
      }
    }
    square[line * (kTile + 1) + int(threadIdx.x)] = sum;
  }
  __syncthreads();
  for (int line = int(threadIdx.y); line < kTile; line += kLines) {
    const int64_t m = first_m + line, n = first_n + threadIdx.x;
    if (m < M && n < N) {
      to[((m * to_size + a) * to_size + b) * N + n] = square[int(threadIdx.x) * (kTile + 1) + line];
    }
  }
}

void sum_turned_boxes(Stream& stream, ConstView from, View to) {
  const auto tiles = [](int64_t count) { return static_cast<unsigned>((count + kTile - 1) / kTile); };
  const int64_t from_size = from.dim(1), to_size = to.dim(1), last = (from_size < to_size ? from_size : to_size) - 1;
  launch(sum_turned_boxes_kernel, dim3(static_cast<unsigned>(to_size * to_size), tiles(to.dim(0)), tiles(to.dim(3))),
         dim3(kTile, kLines), 0, stream, from.as<float>(), to.as<float>(), from_size, to_size, last, to.dim(0),
         to.dim(3));
}

}  // namespace

void upsampled_weights(Stream& stream, ConstView weight, View spread) {
  sum_turned_boxes(stream, weight, spread);
}

void upsampled_weights_backward(Stream& stream, ConstView dspread, View dweight) {
  sum_turned_boxes(stream, dspread, dweight);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
