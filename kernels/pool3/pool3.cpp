#include "kernels/pool3/pool3.hpp"

#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/pool3/windows.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::pool3) pool3;
}  // namespace simt
namespace cuda {
decltype(kernels::pool3) pool3;
}  // namespace cuda

namespace cpu {
namespace {

constexpr int64_t kTile = 64;  // channels of a window that are worked on together

/// Sums or maxima of `width` channels over the pixels [rows) x [columns) of an image whose rows have `pitch` elements.
template <bool kMean, class T>
void reduce_window(const T* image, int64_t pitch, int64_t C, int64_t top, int64_t bottom, int64_t left, int64_t right,
                   int64_t width, accumulator_t<T>* result) {
  using Acc = accumulator_t<T>;
  const T* const first = image + top * pitch + left * C;
  std::transform(first, first + width, result, [](T value) { return widen(value); });
  for (int64_t h = top; h < bottom; ++h) {
    for (int64_t w = h == top ? left + 1 : left; w < right; ++w) {
      const T* const from = image + h * pitch + w * C;
#pragma omp simd
      for (int64_t c = 0; c < width; ++c) {
        const Acc value = widen(from[c]);
        if constexpr (kMean) {
          result[c] += value;
        } else {
          result[c] = (value > result[c]) | (value != value) ? value : result[c];
        }
      }
    }
  }
}

template <bool kMean, class T>
void pool(Stream& stream, ConstView x, const Windows3& rows, const Windows3& columns, View y) {
  using Acc = accumulator_t<T>;
  const int64_t C = x.dim(3), pitch = columns.in * C;
  const T* const px = x.as<T>();
  T* const py = y.as<T>();
  parallel_for(stream, y.dim(0) * rows.out, 2, [&](int64_t i) {
    const int64_t n = i / rows.out, top = rows.first(i % rows.out), bottom = rows.last(i % rows.out);
    for (int64_t w = 0; w < columns.out; ++w) {
      const int64_t left = columns.first(w), right = columns.last(w);
      const Acc share = kMean ? Acc(1) / static_cast<Acc>((bottom - top) * (right - left)) : Acc(1);
      for (int64_t first = 0; first < C; first += kTile) {
        const int64_t width = std::min(kTile, C - first);
        alignas(64) Acc result[kTile];
        reduce_window<kMean>(px + n * rows.in * pitch + first, pitch, C, top, bottom, left, right, width, result);
        T* const to = py + (i * columns.out + w) * C + first;
#pragma omp simd
        for (int64_t c = 0; c < width; ++c) to[c] = narrow<T>(share * result[c]);
      }
    }
  });
}

}  // namespace

void pool3(Stream& stream, ConstView x, const Pool3Options& options, View y) {
  const Windows3 rows{x.dim(1), y.dim(1), options.stride, options.padding};
  const Windows3 columns{x.dim(2), y.dim(2), options.stride, options.padding};
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    options.kind == Pool3Options::Kind::mean ? pool<true, T>(stream, x, rows, columns, y)
                                             : pool<false, T>(stream, x, rows, columns, y);
  });
}
}  // namespace cpu

Shape pool3_output_shape(const Shape& x, const Pool3Options& options) {
  const auto windows = [&](int64_t size) {
    const int64_t room = size + 2 * options.padding - 3;
    return room < 0 ? 0 : room / options.stride + 1;
  };
  return {x[0], windows(x[1]), windows(x[2]), x[3]};
}

void pool3(Stream& stream, ConstView x, const Pool3Options& options, View y) {
  const OpScope op(stream, "pool3", {x, y});
  op.require(options.stride >= 1 && (options.padding == 0 || options.padding == 1),
             "stride must be at least 1, padding 0 or 1");
  op.require(x.rank() == 4 && y.shape() == pool3_output_shape(x.shape(), options),
             "y must be [N,H',W',C] with H' = (H+2p-3)/stride + 1, W' = (W+2p-3)/stride + 1 for x [N,H,W,C]");
  op.require(y.dim(1) > 0 && y.dim(2) > 0, "images must be as large as a window");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
  if (y.count() == 0) return;
  pick<cpu::pool3, simt::pool3, cuda::pool3>(stream)(stream, x, options, y);
}

}  // namespace ascore::kernels
