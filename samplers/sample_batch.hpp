#pragma once

#include "kernels/core/step_scalars.hpp"
#include "samplers/score.hpp"

#include <cstdint>
#include <functional>

namespace ascore {

/// Which samples of a seed to draw.
struct BatchRequest {
  uint64_t seed = 0;
  int64_t first = 0, count = 0;
  int64_t tile = 0;  ///< rows that are sampled together
};

/// Rows that are sampled together on cpu and simt: a function of the shape of one sample alone, so that a sample's
/// bytes depend neither on how many are asked for nor on threads.
int64_t tile_size(const Shape& sample_shape);

/// Initial states [rows,...] of samples key.first_sample, key.first_sample + 1, ...
using TileStart = std::function<Tensor(Ctx&, int64_t rows, const NoiseKey& key)>;
/// Runs a sampler from `x`; `key` is that of the noise of x's rows.
using TileSampler = std::function<Samples(Ctx&, Tensor x, const NoiseKey& key)>;

/// Draws samples [first, first + count) of `seed`. Sample i is always row i % tile of tile i / tile, whose other rows
/// are computed too, and thrown away where nobody asked for them: the sampler sees the same arrays whatever is asked
/// for. Returns [count,...] on the context's device. Throws ConfigError unless count >= 1, first >= 0 and tile >= 1.
Samples sample_batch(Ctx& ctx, const BatchRequest& request, const TileStart& start, const TileSampler& sampler);

}  // namespace ascore
