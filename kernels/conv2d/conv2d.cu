#include "kernels/conv2d/conv2d.hpp"
#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/gemm/part_sums.hpp"
#include "kernels/gemm/tile.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// A pixel of the batch: its place in its image, and its index over all images.
struct Pixel {
  int h, w, index;
};

__device__ __forceinline__ Pixel pixel(const Conv2dShape& s, int index) {
  const int row = index / s.width;
  return {row % s.height, index - row * s.width, index};
}

/// Offset of a tap from the kernel's middle, in pixels.
struct Tap {
  int dh, dw;
};

__device__ __forceinline__ Tap tap_offset(const Conv2dShape& s, int tap) {
  const int a = tap / s.kernel, middle = s.kernel / 2;
  return {(a - middle) * s.dilation, (tap - a * s.kernel - middle) * s.dilation};
}

/// Channel c of the pixel `tap` away from p; 0 outside the image.
template <class T>
__device__ __forceinline__ float shifted(const Conv2dShape& s, const T* image, int channels, Pixel p, Tap tap, int c) {
  const int h = p.h + tap.dh, w = p.w + tap.dw;
  if (h < 0 || h >= s.height || w < 0 || w >= s.width) return 0.0f;
  return widen(image[int64_t(p.index + tap.dh * s.width + tap.dw) * channels + c]);
}

/// Block (m, n): 64 pixels x 64 output channels of y; k = (tap, input channel).
template <class T, class W>
__global__ void __launch_bounds__(kTileThreads)
    conv2d_kernel(Conv2dShape s, const T* x, const W* weight, const float* bias, T* y) {
  const int first = int(blockIdx.x) * kTile, first_out = int(blockIdx.y) * kTile;
  const int pixels = int(s.pixels()), depth = s.taps() * s.in;
  Pixel rows[4];
#pragma unroll
  for (int e = 0; e < 4; ++e) rows[e] = pixel(s, first + share_row<Walk::depth>(e));
  float sum[4][4] = {};
  multiply_tile<Walk::depth, Walk::depth>(
      0, depth,
      [&](int e, int k) {
        if (rows[e].index >= pixels) return 0.0f;
        const int tap = k / s.in;
        return shifted(s, x, s.in, rows[e], tap_offset(s, tap), k - tap * s.in);
      },
      [&](int e, int k) {
        const int o = first_out + share_row<Walk::depth>(e);
        return o < s.out ? weight_for<T>(weight[int64_t(o) * depth + k]) : 0.0f;
      },
      sum);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int p = first + tile_row(i);
    if (p >= pixels) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int o = first_out + tile_column(j);
      if (o < s.out) y[int64_t(p) * s.out + o] = narrow<T>(bias ? sum[i][j] + bias[o] : sum[i][j]);
    }
  }
}

/// Block (m, n): 64 pixels x 64 input channels of dx; k = (tap, output channel), taps mirrored.
template <class T, class W>
__global__ void __launch_bounds__(kTileThreads)
    conv2d_dgrad_kernel(Conv2dShape s, const T* dy, const W* weight, T* dx) {
  const int first = int(blockIdx.x) * kTile, first_in = int(blockIdx.y) * kTile;
  const int pixels = int(s.pixels());
  Pixel rows[4];
#pragma unroll
  for (int e = 0; e < 4; ++e) rows[e] = pixel(s, first + share_row<Walk::depth>(e));
  const int column = first_in + share_row<Walk::rows>(0);
  float sum[4][4] = {};
  multiply_tile<Walk::depth, Walk::rows>(
      0, s.taps() * s.out,
      [&](int e, int k) {
        if (rows[e].index >= pixels) return 0.0f;
        const int tap = k / s.out;
        const Tap offset = tap_offset(s, tap);
        return shifted(s, dy, s.out, rows[e], Tap{-offset.dh, -offset.dw}, k - tap * s.out);
      },
      [&](int, int k) {
        if (column >= s.in) return 0.0f;
        const int tap = k / s.out;
        return weight_for<T>(weight[(int64_t(k - tap * s.out) * s.taps() + tap) * s.in + column]);
      },
      sum);
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int p = first + tile_row(i);
    if (p >= pixels) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int c = first_in + tile_column(j);
      if (c < s.in) dx[int64_t(p) * s.in + c] = narrow<T>(sum[i][j]);
    }
  }
}

/// Block (m, n, part): 64 output channels x 64 of (tap, input channel) of the weight gradient; k = the part's pixels.
template <class T>
__global__ void __launch_bounds__(kTileThreads)
    conv2d_wgrad_kernel(Conv2dShape s, const T* x, const T* dy, int per_part, float* parts) {
  const int first_out = int(blockIdx.x) * kTile, first_column = int(blockIdx.y) * kTile;
  const int pixels = int(s.pixels()), columns = s.taps() * s.in;
  const int row = first_out + share_row<Walk::rows>(0), column = first_column + share_row<Walk::rows>(0);
  const int tap = column / s.in, c = column - tap * s.in;
  const Tap offset = tap_offset(s, tap);
  const int begin = int(blockIdx.z) * per_part, end = begin + per_part < pixels ? begin + per_part : pixels;
  float sum[4][4] = {};
  multiply_tile<Walk::rows, Walk::rows>(
      begin, end, [&](int, int p) { return row < s.out ? widen(dy[int64_t(p) * s.out + row]) : 0.0f; },
      [&](int, int p) { return column < columns ? shifted(s, x, s.in, pixel(s, p), offset, c) : 0.0f; }, sum);
  float* const out = parts + int64_t(blockIdx.z) * s.out * columns;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    const int o = first_out + tile_row(i);
    if (o >= s.out) break;
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      const int n = first_column + tile_column(j);
      if (n < columns) out[int64_t(o) * columns + n] = sum[i][j];
    }
  }
}

}  // namespace

void conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias, View y) {
  for_product_types(x.dtype(), weight.dtype(), [&]<class T, class W>() {
    launch(conv2d_kernel<T, W>, tile_grid(s.pixels(), s.out), kTileThreads, 0, stream, s, x.as<T>(), weight.as<W>(),
           bias.as<float>(), y.as<T>());
  });
}

void conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, View dx) {
  for_product_types(dy.dtype(), weight.dtype(), [&]<class T, class W>() {
    launch(conv2d_dgrad_kernel<T, W>, tile_grid(s.pixels(), s.in), kTileThreads, 0, stream, s, dy.as<T>(),
           weight.as<W>(), dx.as<T>());
  });
}

void conv2d_wgrad(Stream& stream, const Conv2dShape& s, ConstView x, ConstView dy, View dweight, View dbias,
                  View workspace) {
  const int columns = s.taps() * s.in;
  const int parts = product_parts(s.out, columns, s.pixels());
  float* const scratch = static_cast<float*>(workspace.raw());
  for_float_type(x.dtype(), [&]<class T>() {
    if (dweight) {
      float* const out = parts > 1 ? scratch : dweight.as<float>();
      launch(conv2d_wgrad_kernel<T>, tile_grid(s.out, columns, parts), kTileThreads, 0, stream, s, x.as<T>(),
             dy.as<T>(), depth_per_part(s.pixels(), parts), out);
      if (parts > 1) add_parts<float>(stream, out, parts, dweight.count(), dweight.as<float>());
    }
    if (dbias) column_sum(stream, dy.as<T>(), s.pixels(), s.out, dbias.as<float>(), scratch);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
