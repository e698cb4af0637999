#pragma once

#include "kernels/conv2d/pixel_gather.hpp"
#include "kernels/core/backend.hpp"

#include <cstdint>

/// The operands of a convolution's three products, as sources of kernels/gemm/operand.hpp.
namespace ascore::kernels::ASCORE_BACKEND {

/// The gathered pixels: rows (n, i, j), depth (tap, channel), contiguous along the depth.
template <class T>
struct PixelSource {
  using Element = T;
  const T* pixels;
  PixelGather gather;
  int row_count, depth_count;

  struct Row {
    int image, h, w;  ///< first pixel of the image; the source pixel under tap (0, 0)
  };
  struct Depth {
    int h, w, channel;  ///< what the tap adds
  };
  static constexpr int kOutside = -(1 << 29);  ///< a row that no tap brings back into an image

  __device__ __forceinline__ const T* base() const { return pixels; }
  __device__ __forceinline__ Row row(int r) const {
    if (r >= row_count) return {0, kOutside, 0};
    const int line = gather.by_grid_width.quotient(r), j = gather.by_grid_width.remainder(r, line);
    const int n = gather.by_grid_height.quotient(line), i = gather.by_grid_height.remainder(line, n);
    return {n * gather.source_height * gather.source_width, gather.first_h + i * gather.row_step,
            gather.first_w + j * gather.row_step};
  }
  __device__ __forceinline__ Depth depth(int k) const {
    if (k >= depth_count) return {kOutside, 0, 0};
    const int tap = gather.by_channels.quotient(k), a = gather.by_taps_w.quotient(tap);
    return {a * gather.tap_step, gather.by_taps_w.remainder(tap, a) * gather.tap_step,
            gather.by_channels.remainder(k, tap)};
  }
  __device__ __forceinline__ const T* at(Row row, Depth depth) const {
    const int h = row.h + depth.h, w = row.w + depth.w;
    if (unsigned(h) >= unsigned(gather.source_height) || unsigned(w) >= unsigned(gather.source_width)) return nullptr;
    return pixels + int64_t(row.image + h * gather.source_width + w) * gather.channels + depth.channel;
  }
};

/// The same matrix turned: rows (tap, channel), contiguous; depth (n, i, j).
template <class T>
struct TurnedPixelSource {
  using Element = T;
  using Row = typename PixelSource<T>::Depth;
  using Depth = typename PixelSource<T>::Row;
  PixelSource<T> source;

  __device__ __forceinline__ const T* base() const { return source.pixels; }
  __device__ __forceinline__ Row row(int r) const { return source.depth(r); }
  __device__ __forceinline__ Depth depth(int k) const { return source.row(k); }
  __device__ __forceinline__ const T* at(Row row, Depth depth) const { return source.at(depth, row); }
};

/// A matrix in memory, [rows][depth] (contiguous along the depth) or [depth][rows], by its two pitches.
template <class T>
struct MatrixSource {
  using Element = T;
  using Row = int64_t;  ///< offset, or negative outside
  using Depth = int64_t;
  const T* matrix;
  int64_t row_pitch, depth_pitch;
  int row_count, depth_count;

  __device__ __forceinline__ const T* base() const { return matrix; }
  __device__ __forceinline__ Row row(int r) const { return r < row_count ? r * row_pitch : -1; }
  __device__ __forceinline__ Depth depth(int k) const { return k < depth_count ? k * depth_pitch : -1; }
  __device__ __forceinline__ const T* at(Row row, Depth depth) const {
    return (row | depth) < 0 ? nullptr : matrix + row + depth;
  }
};

/// Weights [O][k][k][I] under the taps of a gather over dy: rows are input channels, contiguous; depth (tap, output
/// channel).
template <class W>
struct TapWeightSource {
  using Element = W;
  using Row = int;
  using Depth = int64_t;
  const W* weight;
  PixelGather gather;
  int row_count, depth_count;

  __device__ __forceinline__ const W* base() const { return weight; }
  __device__ __forceinline__ Row row(int r) const { return r < row_count ? r : -1; }
  __device__ __forceinline__ Depth depth(int k) const {
    if (k >= depth_count) return -1;
    const int tap = gather.by_channels.quotient(k), o = gather.by_channels.remainder(k, tap);
    const int a = gather.by_taps_w.quotient(tap), b = gather.by_taps_w.remainder(tap, a);
    const int kernel_tap =
        (gather.weight_h + a * gather.weight_step) * gather.kernel + gather.weight_w + b * gather.weight_step;
    return (int64_t(o) * gather.kernel * gather.kernel + kernel_tap) * row_count;
  }
  __device__ __forceinline__ const W* at(Row row, Depth depth) const {
    return row < 0 || depth < 0 ? nullptr : weight + depth + row;
  }
};

}  // namespace ascore::kernels::ASCORE_BACKEND
