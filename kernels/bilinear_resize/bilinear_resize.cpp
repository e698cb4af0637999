#include "kernels/bilinear_resize/bilinear_resize.hpp"

#include "kernels/bilinear_resize/axis.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"

#include <algorithm>

namespace ascore::kernels {

namespace simt {
decltype(kernels::bilinear_resize) bilinear_resize;
decltype(kernels::bilinear_resize_half_pixel) bilinear_resize_half_pixel;
decltype(kernels::bilinear_resize_backward) bilinear_resize_backward;
}  // namespace simt
namespace cuda {
decltype(kernels::bilinear_resize) bilinear_resize;
decltype(kernels::bilinear_resize_half_pixel) bilinear_resize_half_pixel;
decltype(kernels::bilinear_resize_backward) bilinear_resize_backward;
}  // namespace cuda

namespace cpu {
namespace {
template <class Axis>
void resize(Stream& stream, ConstView x, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const Axis rows{x.dim(1), y.dim(1)}, columns{x.dim(2), y.dim(2)};
    const int64_t C = x.dim(3);
    const T* const px = x.as<T>();
    T* const py = y.as<T>();
    parallel_for(stream, y.dim(0) * rows.out, 2, [&](int64_t i) {
      const int64_t n = i / rows.out;
      const auto row = rows.source(i % rows.out);
      const T* const above = px + (n * rows.in + row.low) * columns.in * C;
      const T* const below = px + (n * rows.in + row.high) * columns.in * C;
      const Acc down = static_cast<Acc>(row.fraction), up = Acc(1) - down;
      for (int64_t w = 0; w < columns.out; ++w) {
        const auto column = columns.source(w);
        const Acc right = static_cast<Acc>(column.fraction), left = Acc(1) - right;
        const T *const a = above + column.low * C, *const b = above + column.high * C;
        const T *const c = below + column.low * C, *const d = below + column.high * C;
        T* const to = py + (i * columns.out + w) * C;
#pragma omp simd
        for (int64_t k = 0; k < C; ++k) {
          to[k] = narrow<T>(up * (left * widen(a[k]) + right * widen(b[k])) +
                            down * (left * widen(c[k]) + right * widen(d[k])));
        }
      }
    });
  });
}

}  // namespace

void bilinear_resize(Stream& stream, ConstView x, View y) {
  resize<ResizeAxis>(stream, x, y);
}
void bilinear_resize_half_pixel(Stream& stream, ConstView x, View y) {
  resize<HalfPixelAxis>(stream, x, y);
}

void bilinear_resize_backward(Stream& stream, ConstView dy, View dx) {
  for_cpu_float_type(dy.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    constexpr int64_t kTile = 64;
    const ResizeAxis rows{dx.dim(1), dy.dim(1)}, columns{dx.dim(2), dy.dim(2)};
    const int64_t C = dx.dim(3);
    const T* const pdy = dy.as<T>();
    T* const pdx = dx.as<T>();
    parallel_for(stream, dx.dim(0) * rows.in, 2, [&](int64_t i) {
      const int64_t n = i / rows.in, h = i % rows.in, first_row = rows.first(h), last_row = rows.last(h);
      for (int64_t w = 0; w < columns.in; ++w) {
        const int64_t first_column = columns.first(w), last_column = columns.last(w);
        for (int64_t first = 0; first < C; first += kTile) {
          const int64_t width = std::min(kTile, C - first);
          alignas(64) Acc sum[kTile] = {};
          for (int64_t r = first_row; r <= last_row; ++r) {
            const double row_weight = rows.weight(h, r);
            if (row_weight == 0) continue;
            for (int64_t q = first_column; q <= last_column; ++q) {
              const Acc weight = static_cast<Acc>(row_weight * columns.weight(w, q));
              if (weight == 0) continue;
              const T* const from = pdy + ((n * rows.out + r) * columns.out + q) * C + first;
#pragma omp simd
              for (int64_t k = 0; k < width; ++k) sum[k] += weight * widen(from[k]);
            }
          }
          T* const to = pdx + (i * columns.in + w) * C + first;
#pragma omp simd
          for (int64_t k = 0; k < width; ++k) to[k] = narrow<T>(sum[k]);
        }
      }
    });
  });
}
}  // namespace cpu

namespace {
void check(const OpScope& op, ConstView from, ConstView to) {
  op.require(from.rank() == 4 && to.rank() == 4 && from.dim(0) == to.dim(0) && from.dim(3) == to.dim(3),
             "images must be [N,H,W,C] with one N and C");
  op.require(to.count() == 0 || from.count() > 0, "an image without pixels cannot be enlarged");
  op.require_dtype(from.dtype() == to.dtype(), "images must have one dtype");
}
}  // namespace

void bilinear_resize(Stream& stream, ConstView x, View y) {
  const OpScope op(stream, "bilinear_resize", {x, y});
  check(op, x, y);
  if (y.count() == 0) return;
  pick<cpu::bilinear_resize, simt::bilinear_resize, cuda::bilinear_resize>(stream)(stream, x, y);
}

void bilinear_resize_half_pixel(Stream& stream, ConstView x, View y) {
  const OpScope op(stream, "bilinear_resize_half_pixel", {x, y});
  check(op, x, y);
  if (y.count() == 0) return;
  pick<cpu::bilinear_resize_half_pixel, simt::bilinear_resize_half_pixel, cuda::bilinear_resize_half_pixel>(stream)(
      stream, x, y);
}

void bilinear_resize_backward(Stream& stream, ConstView dy, View dx) {
  const OpScope op(stream, "bilinear_resize_backward", {dy, dx});
  check(op, dx, dy);
  if (dx.count() == 0) return;
  pick<cpu::bilinear_resize_backward, simt::bilinear_resize_backward, cuda::bilinear_resize_backward>(stream)(stream,
                                                                                                              dy, dx);
}

}  // namespace ascore::kernels
