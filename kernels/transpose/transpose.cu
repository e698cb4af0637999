#include "kernels/core/kernel.hpp"
#include "kernels/transpose/transpose.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kTile = 32, kLines = 8;

/// A block turns one 32x32 square in shared memory, so that both its reads and its writes are along rows.
template <class T>
__global__ void transpose_kernel(const T* x, T* y, int64_t A, int64_t B, int64_t tiles_a, int64_t tiles_b) {
  T* const square = shared_array<T, kTile*(kTile + 1)>();  // a column more: its elements lie in different banks
  const int64_t block = blockIdx.x, image = block / (tiles_a * tiles_b) * A * B;
  const int64_t first_a = block / tiles_b % tiles_a * kTile, first_b = block % tiles_b * kTile;
  for (int line = int(threadIdx.y); line < kTile; line += kLines) {
    const int64_t a = first_a + line, b = first_b + threadIdx.x;
    if (a < A && b < B) square[line * (kTile + 1) + int(threadIdx.x)] = x[image + a * B + b];
  }
  __syncthreads();
  for (int line = int(threadIdx.y); line < kTile; line += kLines) {
    const int64_t b = first_b + line, a = first_a + threadIdx.x;
    if (a < A && b < B) y[image + b * A + a] = square[int(threadIdx.x) * (kTile + 1) + line];
  }
}

}  // namespace

void transpose(Stream& stream, ConstView x, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    const int64_t A = x.dim(1), B = x.dim(2), tiles_a = (A + kTile - 1) / kTile, tiles_b = (B + kTile - 1) / kTile;
    launch(transpose_kernel<T>, dim3(static_cast<unsigned>(x.dim(0) * tiles_a * tiles_b)), dim3(kTile, kLines), 0,
           stream, x.as<T>(), y.as<T>(), A, B, tiles_a, tiles_b);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
