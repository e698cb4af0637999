#include "kernels/bilinear_resize/axis.hpp"
#include "kernels/bilinear_resize/bilinear_resize.hpp"
#include "kernels/core/kernel.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread per element of y.
template <class T, class Axis>
__global__ void bilinear_resize_kernel(const T* x, T* y, Axis rows, Axis columns, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t c = i % C, w = i / C % columns.out, h = i / (C * columns.out) % rows.out;
  const int64_t n = i / (C * columns.out * rows.out);
  const ResizeSource row = rows.source(h), column = columns.source(w);
  const float down = static_cast<float>(row.fraction), up = 1.0f - down;
  const float right = static_cast<float>(column.fraction), left = 1.0f - right;
  const T* const image = x + n * rows.in * columns.in * C + c;
  const auto at = [&](int64_t r, int64_t q) { return widen(image[(r * columns.in + q) * C]); };
  y[i] = narrow<T>(up * (left * at(row.low, column.low) + right * at(row.low, column.high)) +
                   down * (left * at(row.high, column.low) + right * at(row.high, column.high)));
}

/// A thread per element of dx: a gather, in row order.
template <class T>
__global__ void bilinear_resize_backward_kernel(const T* dy, T* dx, ResizeAxis rows, ResizeAxis columns, int64_t C,
                                                int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t c = i % C, w = i / C % columns.in, h = i / (C * columns.in) % rows.in;
  const T* const image = dy + i / (C * columns.in * rows.in) * rows.out * columns.out * C + c;
  const int64_t last_row = rows.last(h), last_column = columns.last(w);
  float sum = 0;
  for (int64_t r = rows.first(h); r <= last_row; ++r) {
    const double row_weight = rows.weight(h, r);
    for (int64_t q = columns.first(w); q <= last_column; ++q) {
      const float weight = static_cast<float>(row_weight * columns.weight(w, q));
      if (weight != 0) sum += weight * widen(image[(r * columns.out + q) * C]);
    }
  }
  dx[i] = narrow<T>(sum);
}

template <class Axis>
void resize(Stream& stream, ConstView x, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    launch(bilinear_resize_kernel<T, Axis>, blocks_for(y.count(), kThreads), kThreads, 0, stream, x.as<T>(), y.as<T>(),
           Axis{x.dim(1), y.dim(1)}, Axis{x.dim(2), y.dim(2)}, x.dim(3), y.count());
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
  for_float_type(dy.dtype(), [&]<class T>() {
    launch(bilinear_resize_backward_kernel<T>, blocks_for(dx.count(), kThreads), kThreads, 0, stream, dy.as<T>(),
           dx.as<T>(), ResizeAxis{dx.dim(1), dy.dim(1)}, ResizeAxis{dx.dim(2), dy.dim(2)}, dx.dim(3), dx.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
