#include "kernels/core/kernel.hpp"
#include "kernels/max_pool5/max_pool5.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 128, kRadius = 2, kTaps = 5, kRows = 8, kBand = kRows + 2 * kRadius;

/// A thread makes kRows outputs of one column and channel: the maxima along each row once, then down the column. Border
/// taps repeat the border: equal to it, they never beat it, and where they come first they carry its number.
template <class T>
__global__ void max_pool5_kernel(const T* x, T* y, unsigned char* winner, int64_t H, int64_t W, int64_t C,
                                 int64_t bands, int64_t count) {
  const int64_t thread = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (thread >= count) return;
  const int64_t c = thread % C, w = thread / C % W, band = thread / (C * W) % bands, n = thread / (C * W * bands);
  const int64_t first = band * kRows;
  const int64_t image = n * H * W * C + c;
  float best[kBand];
  int number[kBand];  // 5 (row - first) + column of the row's maximum
#pragma unroll
  for (int r = 0; r < kBand; ++r) {
    int64_t h = first - kRadius + r;
    h = h < 0 ? 0 : h >= H ? H - 1 : h;
#pragma unroll
    for (int k = 0; k < kTaps; ++k) {
      int64_t at = w - kRadius + k;
      at = at < 0 ? 0 : at >= W ? W - 1 : at;
      const float value = widen(x[image + (h * W + at) * C]);
      if (k == 0 || value > best[r] || value != value) {
        best[r] = value;
        number[r] = static_cast<int>(5 * (h - first) + (at - w + kRadius));
      }
    }
  }
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (first + r >= H) return;
    float value = best[r];
    int place = number[r];
#pragma unroll
    for (int k = 1; k < kTaps; ++k) {
      if (best[r + k] > value || best[r + k] != best[r + k]) {
        value = best[r + k];
        place = number[r + k];
      }
    }
    const int64_t at = image + ((first + r) * W + w) * C;
    y[at] = narrow<T>(value);
    if (winner) winner[at] = static_cast<unsigned char>(place + 5 * (kRadius - r));
  }
}

/// A thread per element of dx asks the up to 25 windows that hold it.
template <class T>
__global__ void max_pool5_backward_kernel(const unsigned char* winner, const T* dy, T* dx, int64_t H, int64_t W,
                                          int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t w = i / C % W, h = i / (C * W) % H;
  float sum = 0;
  for (int row = -kRadius; row <= kRadius; ++row) {
    for (int column = -kRadius; column <= kRadius; ++column) {
      if (h + row < 0 || h + row >= H || w + column < 0 || w + column >= W) continue;
      const int64_t at = i + (row * W + column) * C;
      if (winner[at] == 5 * (kRadius - row) + (kRadius - column)) sum += widen(dy[at]);
    }
  }
  dx[i] = narrow<T>(sum);
}

}  // namespace

void max_pool5(Stream& stream, ConstView x, View y, View winner) {
  for_float_type(x.dtype(), [&]<class T>() {
    const int64_t H = x.dim(1), W = x.dim(2), C = x.dim(3), bands = (H + kRows - 1) / kRows;
    const int64_t count = x.dim(0) * bands * W * C;
    launch(max_pool5_kernel<T>, blocks_for(count, kThreads), kThreads, 0, stream, x.as<T>(), y.as<T>(),
           winner.present() ? winner.as<uint8_t>() : nullptr, H, W, C, bands, count);
  });
}

void max_pool5_backward(Stream& stream, ConstView winner, ConstView dy, View dx) {
  for_float_type(dy.dtype(), [&]<class T>() {
    launch(max_pool5_backward_kernel<T>, blocks_for(dy.count(), kThreads), kThreads, 0, stream, winner.as<uint8_t>(),
           dy.as<T>(), dx.as<T>(), dy.dim(1), dy.dim(2), dy.dim(3), dy.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
