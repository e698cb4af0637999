#include "kernels/core/kernel.hpp"
#include "kernels/pool3/pool3.hpp"
#include "kernels/pool3/windows.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

constexpr int kThreads = 256;

/// A thread per element of y.
template <class T, bool kMean>
__global__ void pool3_kernel(const T* x, T* y, Windows3 rows, Windows3 columns, int64_t C, int64_t count) {
  const int64_t i = int64_t(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t c = i % C, w = i / C % columns.out, line = i / (C * columns.out);
  const int64_t n = line / rows.out, h = line % rows.out;
  const int64_t top = rows.first(h), bottom = rows.last(h), left = columns.first(w), right = columns.last(w);
  const T* const image = x + n * rows.in * columns.in * C + c;
  float result = kMean ? 0.0f : widen(image[(top * columns.in + left) * C]);
  for (int64_t r = top; r < bottom; ++r) {
    for (int64_t q = left; q < right; ++q) {
      const float value = widen(image[(r * columns.in + q) * C]);
      if (kMean) {
        result += value;
      } else if (value > result || value != value) {
        result = value;
      }
    }
  }
  y[i] = narrow<T>(kMean ? result / float((bottom - top) * (right - left)) : result);
}

}  // namespace

void pool3(Stream& stream, ConstView x, const Pool3Options& options, View y) {
  const Windows3 rows{x.dim(1), y.dim(1), options.stride, options.padding};
  const Windows3 columns{x.dim(2), y.dim(2), options.stride, options.padding};
  for_float_type(x.dtype(), [&]<class T>() {
    const auto kernel = options.kind == Pool3Options::Kind::mean ? pool3_kernel<T, true> : pool3_kernel<T, false>;
    launch(kernel, blocks_for(y.count(), kThreads), kThreads, 0, stream, x.as<T>(), y.as<T>(), rows, columns, x.dim(3),
           y.count());
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
