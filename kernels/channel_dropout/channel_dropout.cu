#include "kernels/channel_dropout/channel_dropout.hpp"
#include "kernels/channel_dropout/channel_factor.hpp"
#include "kernels/core/channel_tile.hpp"
#include "kernels/core/kernel.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {

/// Block (tile, run of pixels, n): a thread draws once for its channel.
template <class T>
__global__ void channel_dropout_kernel(const T* x, NoiseKey key, uint32_t layer, float p, T* y, int64_t P, int64_t C,
                                       int64_t tiles, int64_t chunks) {
  const TilePlace at(P, tiles, chunks);
  if (at.c >= C) return;
  const float factor = channel_factor(key, layer, p, at.n, at.c);
  for (int64_t pixel = at.begin; pixel < at.end; pixel += kTileLanes) {
    const int64_t i = (at.n * P + pixel) * C + at.c;
    y[i] = narrow<T>(widen(x[i]) * factor);
  }
}

}  // namespace

void channel_dropout(Stream& stream, ConstView x, const NoiseKey& key, uint32_t layer, double p, View y) {
  for_float_type(x.dtype(), [&]<class T>() {
    const int64_t P = x.dim(1) * x.dim(2), C = x.dim(3), tiles = channel_tiles(C), chunks = pixel_chunks(P);
    launch(channel_dropout_kernel<T>, dim3(static_cast<unsigned>(x.dim(0) * tiles * chunks)), tile_block(), 0, stream,
           x.as<T>(), key, layer, p, y.as<T>(), P, C, tiles, chunks);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
