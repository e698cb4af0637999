#include "kernels/channel_dropout/channel_dropout.hpp"

#include "kernels/channel_dropout/channel_factor.hpp"
#include "kernels/core/channel_tiles_cpu.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

#include <fmt/format.h>

namespace ascore::kernels {

namespace simt {
decltype(kernels::channel_dropout) channel_dropout;
}
namespace cuda {
decltype(kernels::channel_dropout) channel_dropout;
}

namespace cpu {
void channel_dropout(Stream& stream, ConstView x, const NoiseKey& key, uint32_t layer, double p, View y) {
  for_cpu_float_type(x.dtype(), [&]<class T>() {
    using Acc = accumulator_t<T>;
    const int64_t P = x.dim(1) * x.dim(2), C = x.dim(3);
    for_pixel_tiles(stream, x.shape(), [&](int64_t n, int64_t first, int64_t width, int64_t begin, int64_t end) {
      Acc factor[kChannelTile];
      for (int64_t i = 0; i < width; ++i) factor[i] = channel_factor(key, layer, static_cast<float>(p), n, first + i);
      for (int64_t pixel = begin; pixel < end; ++pixel) {
        const T* const from = x.as<T>() + (n * P + pixel) * C + first;
        T* const to = y.as<T>() + (n * P + pixel) * C + first;
#pragma omp simd
        for (int64_t i = 0; i < width; ++i) to[i] = narrow<T>(widen(from[i]) * factor[i]);
      }
    });
  });
}
}  // namespace cpu

void channel_dropout(Stream& stream, ConstView x, const NoiseKey& key, uint32_t layer, double p, View y) {
  const OpScope op(stream, "channel_dropout", {x, y, key.offset_view(stream.device())});
  op.require(x.rank() == 4 && y.shape() == x.shape(), "x and y must be [N,H,W,C]");
  op.require(x.dim(3) <= kDropoutChannels, "there can be at most 2^18 channels");
  op.require_dtype(y.dtype() == x.dtype(), "x and y must have one dtype");
  if (!(p >= 0 && p < 1)) {
    throw ConfigError(
        fmt::format("{}: channels cannot be dropped with probability {}; give one in [0, 1)", op.name(), p));
  }
  if (layer >= kDropoutLayers) {
    throw ConfigError(fmt::format("{}: layer {} is not below {}", op.name(), layer, kDropoutLayers));
  }
  if (x.count() == 0) return;
  pick<cpu::channel_dropout, simt::channel_dropout, cuda::channel_dropout>(stream)(stream, x, key, layer, p, y);
}

}  // namespace ascore::kernels
