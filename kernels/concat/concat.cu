#include "kernels/concat/concat.hpp"
#include "kernels/core/kernel.hpp"
#include "kernels/core/map.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Copies [pixels, width] elements between rows that are `from_pitch` and `to_pitch` apart: a thread per element.
template <class E>
__global__ void copy_rows_kernel(const E* from, int64_t from_pitch, E* to, int64_t to_pitch, int64_t width,
                                 int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t row = i / width, column = i % width;
  to[row * to_pitch + column] = from[row * from_pitch + column];
}

/// The same, in packs of elements where pitches, widths and addresses are whole packs.
template <class T>
void copy_rows(Stream& stream, const T* from, int64_t from_pitch, T* to, int64_t to_pitch, int64_t width,
               int64_t rows) {
  constexpr int kWidth = 16 / sizeof(T);
  using Wide = Pack<T, kWidth>;
  if (from_pitch % kWidth == 0 && to_pitch % kWidth == 0 && width % kWidth == 0 && is_packable<kWidth>(from) &&
      is_packable<kWidth>(to)) {
    launch(copy_rows_kernel<Wide>, blocks_for(rows * width / kWidth, kThreads), kThreads, 0, stream,
           reinterpret_cast<const Wide*>(from), from_pitch / kWidth, reinterpret_cast<Wide*>(to), to_pitch / kWidth,
           width / kWidth, rows * width / kWidth);
  } else {
    launch(copy_rows_kernel<T>, blocks_for(rows * width, kThreads), kThreads, 0, stream, from, from_pitch, to, to_pitch,
           width, rows * width);
  }
}

}  // namespace

void concat_channels(Stream& stream, ConstView a, ConstView b, View y) {
  for_float_type(y.dtype(), [&]<class T>() {
    const int64_t A = a.dim(3), B = b.dim(3), pixels = y.count() / (A + B);
    copy_rows(stream, a.as<T>(), A, y.as<T>(), A + B, A, pixels);
    copy_rows(stream, b.as<T>(), B, y.as<T>() + A, A + B, B, pixels);
  });
}

void split_channels(Stream& stream, ConstView y, View a, View b) {
  for_float_type(y.dtype(), [&]<class T>() {
    const int64_t both = y.dim(3), A = a ? a.dim(3) : both - b.dim(3), B = both - A, pixels = y.count() / both;
    if (a) copy_rows(stream, y.as<T>(), both, a.as<T>(), A, A, pixels);
    if (b) copy_rows(stream, y.as<T>() + A, both, b.as<T>(), B, B, pixels);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
