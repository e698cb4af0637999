#include "samplers/sample_batch.hpp"

#include "engine/training/random_streams.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

namespace ascore {

int64_t tile_size(const Shape& sample_shape) {
  const int64_t elements = sample_shape.count();
  if (elements <= 16) return 256;
  return elements <= 1024 ? 32 : 8;
}

namespace {
/// An array for all samples, of the rows' shape and dtype.
Tensor like_rows(Ctx& ctx, const Tensor& tile, int64_t count) {
  std::vector<int64_t> dims(tile.shape().dims().begin(), tile.shape().dims().end());
  dims[0] = count;
  return ctx.empty(Shape(dims), tile.dtype(), MemoryKind::data);
}
}  // namespace

Samples sample_batch(Ctx& ctx, const BatchRequest& request, const TileStart& start, const TileSampler& sampler) {
  const auto [seed, first, count, tile] = request;
  if (count < 1 || first < 0 || tile < 1) {
    throw ConfigError(
        fmt::format("samples {} to {} in tiles of {}: a tile and a sample at least", first, first + count, tile));
  }
  Samples all;
  for (int64_t begin = first / tile * tile; begin < first + count; begin += tile) {
    NoiseKey key{.seed = seed, .first_sample = static_cast<uint64_t>(begin)};
    const Tensor x = start(ctx, tile, key.with_stream(id(RandomStream::sampler_start)));
    const Samples samples = sampler(ctx, x, key.with_stream(id(RandomStream::sampler_noise)));
    if (!all.plain) all = {like_rows(ctx, samples.plain, count), like_rows(ctx, samples.denoised, count)};
    const int64_t low = std::max(first, begin), high = std::min(first + count, begin + tile);
    copy(ctx.stream, all.plain.rows(low - first, high - first), samples.plain.rows(low - begin, high - begin));
    copy(ctx.stream, all.denoised.rows(low - first, high - first), samples.denoised.rows(low - begin, high - begin));
  }
  return all;
}

}  // namespace ascore
