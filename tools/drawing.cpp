#include "tools/drawing.hpp"

#include "engine/data/share.hpp"
#include "engine/data/transform.hpp"
#include "engine/io/image_grid.hpp"
#include "engine/io/scatter.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/core/error.hpp"
#include "kernels/quantize/quantize.hpp"
#include "samplers/inpainting.hpp"
#include "samplers/sample_batch.hpp"
#include "tools/configs.hpp"
#include "tools/session.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

/// Point data start uniform on this square.
constexpr double kPointsLow = -3, kPointsHigh = 3;

/// One row per sample: [rows, sample...].
Shape rows_of(const Shape& sample, int64_t rows) {
  std::vector<int64_t> dims{rows};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  return Shape(std::span<const int64_t>(dims));
}

/// The training samples that samples first, first + 1, ... start from.
Tensor data_tile(Ctx& ctx, const Dataset& data, const Shape& shape, uint64_t first) {
  HostTensor values(shape, DType::f32);
  const std::span<float> all = values.as<float>();
  const int64_t width = data.sample_shape().count(), size = data.size(Split::train);
  for (int64_t row = 0; row < shape[0]; ++row) {
    data.read(Split::train, static_cast<int64_t>((first + static_cast<uint64_t>(row)) % static_cast<uint64_t>(size)),
              all.data() + row * width);
  }
  return upload_state(ctx, values);
}

/// Initial states of one tile: uniform pixels, sent through the data's transform, noise of sigma_begin, or data with
/// that noise.
Tensor start_tile(Ctx& ctx, const Recipe& recipe, const DrawRequest& request, const Shape& shape, const NoiseKey& key) {
  const double sigma = recipe.noise.sigma_begin;
  if (request.init == Start::prior) return mixed_prior_start(ctx, shape, sigma, key, request.mix);
  if (request.init == Start::data) {
    return mixed_data_start(ctx, data_tile(ctx, *request.data, shape, key.first_sample), sigma, key, request.mix);
  }
  if (is_point_data(recipe.data.name)) {
    return mixed_uniform_start(ctx, shape, kPointsLow, kPointsHigh, key, request.mix);
  }
  const Tensor x = mixed_uniform_start(ctx, shape, 0, 1, key, request.mix);
  const Transform transform = parse_transform(recipe.data.transform);
  if (transform == Transform::none) return x;
  HostTensor pixels = download_state(ctx, x);
  transform_images(transform, pixels.as<float>());
  return upload_state(ctx, pixels);
}

/// The edit that holds a tile's known region; none where nothing is known.
StateEdit edit_of(Ctx& ctx, const KnownRegion* known, const Shape& shape, const NoiseKey& key) {
  if (!known) return {};
  HostTensor references(shape, DType::f32);
  const size_t size = references.bytes.size() / static_cast<size_t>(shape[0]);
  for (int64_t row = 0; row < shape[0]; ++row) {
    const uint64_t from =
        (key.first_sample + static_cast<uint64_t>(row)) % static_cast<uint64_t>(known->references.shape[0]);
    std::copy_n(known->references.bytes.data() + from * size, size,
                references.bytes.data() + static_cast<size_t>(row) * size);
  }
  return keep_known(upload_state(ctx, references), upload(ctx, known->mask),
                    key.with_stream(id(RandomStream::known_noise)));
}

/// Network values to bytes (images), or as they are (points).
HostTensor finished(Ctx& ctx, const Recipe& recipe, const Tensor& samples) {
  HostTensor values = download_state(ctx, samples);
  if (!all_finite(values)) {
    throw DivergedError(
        "the samples are not finite: the step size is too large for this network, or training diverged");
  }
  if (is_point_data(recipe.data.name)) return values;
  untransform_images(parse_transform(recipe.data.transform), values.as<float>());
  Stream host(Device::cpu, {.threads = ctx.stream.threads()});
  HostTensor bytes(values.shape, DType::u8);
  kernels::quantize(host, ConstView(values.bytes.data(), values.shape, DType::f32, Device::cpu),
                    View(bytes.bytes.data(), bytes.shape, DType::u8, Device::cpu));
  return bytes;
}

void append(HostTensor& all, const HostTensor& more, const Shape& sample, int64_t rows) {
  all.shape = rows_of(sample, rows);
  all.dtype = more.dtype;
  all.bytes.insert(all.bytes.end(), more.bytes.begin(), more.bytes.end());
}

/// Rows that run together.
int64_t tile_rows(Device device, const Recipe& recipe, const DrawRequest& request) {
  if (recipe.score.standardize) {  // divides by the variance of its whole batch
    if (request.batch >= request.count) return request.count;
    throw ConfigError(fmt::format("--batch {}: a network with standardize takes all {} samples as one batch",
                                  request.batch, request.count));
  }
  if (device != Device::cuda) return tile_size(sample_shape(recipe));
  return std::min(request.batch, (request.count + request.ranks - 1) / request.ranks);
}

/// What the request's rank draws: whole tiles.
Share share_of_samples(const DrawRequest& request, int64_t tile) {
  const Share tiles = share_of((request.count + tile - 1) / tile, request.rank, request.ranks);
  const int64_t first = std::min(tiles.first * tile, request.count);
  return {.first = first, .count = std::min(tiles.count * tile, request.count - first)};
}

}  // namespace

DrawnSamples draw_samples(Ctx& ctx, const Recipe& recipe, const ScoreNetwork& network, const DrawRequest& request,
                          const std::function<void(int64_t, int64_t)>& progress) {
  const bool dae = recipe.score.target == "dae";
  if (dae && request.plan.sampler == SamplerKind::cas) {
    throw ConfigError("sampler cas: a network of target 'dae' cannot be sampled consistently; use --sampler als");
  }
  Ctx inference = ctx.detached();
  inference.training = false;
  const Shape sample = sample_shape(recipe);
  const int64_t tile = tile_rows(ctx.stream.device(), recipe, request);
  const Share share = share_of_samples(request, tile);
  const int64_t tiles = (share.count + tile - 1) / tile;
  const int64_t all = tiles * static_cast<int64_t>(request.plan.evaluations());
  int64_t done = 0;
  SamplingPlan plan = request.plan;
  plan.replayed = recipe.training.cuda_graphs && !request.watcher;

  const ScoreFn score = [&](Ctx& c, const Tensor& x, const NoiseLevel& sigma) {
    const Tensor estimate = estimated_score(c, network, dae, x, sigma);
    if (request.watcher) request.watcher->asked(c, x, sigma, estimate);
    return estimate;
  };
  const StepObserver observe = [&](size_t step, const Tensor&) {
    // of flow_heun, which asks twice per step, but for the last one
    const bool twice = plan.sampler == SamplerKind::flow_heun && step + 1 < plan.sigmas.size();
    done += twice ? 2 : 1;
    if (progress) progress(done, all);
  };
  const TileStart start = [&](Ctx& c, int64_t rows, const NoiseKey& key) {
    return start_tile(c, recipe, request, rows_of(sample, rows), key);
  };
  const TileSampler sampler = [&](Ctx& c, Tensor x, const NoiseKey& key) {
    const StateEdit edit = edit_of(c, request.known, x.shape(), key);
    return run_sampler(c, plan, score, std::move(x), mixed_noise(key, request.mix), observe, edit);
  };

  DrawnSamples drawn;
  const int64_t end = share.first + share.count;
  for (int64_t first = share.first; first < end; first += tile) {  // tile by tile: device memory stays bounded
    const int64_t count = std::min(tile, end - first);
    const Samples samples =
        sample_batch(inference, {.seed = request.seed, .first = first, .count = count, .tile = tile}, start, sampler);
    if (request.watcher) request.watcher->finished(inference, samples, count);
    append(drawn.denoised, finished(inference, recipe, samples.denoised), sample, first + count - share.first);
    append(drawn.plain, finished(inference, recipe, samples.plain), sample, first + count - share.first);
  }
  return drawn;
}

HostTensor picture(const Recipe& recipe, const HostTensor& samples) {
  if (is_point_data(recipe.data.name)) return draw_scatter({{.points = samples}});
  constexpr int64_t kMost = 256;  // a picture of more is no help
  HostTensor shown = samples;
  if (samples.shape[0] > kMost) {
    shown.shape = Shape{kMost, samples.shape[1], samples.shape[2], samples.shape[3]};
    shown.bytes.resize(static_cast<size_t>(shown.count()));
  }
  return make_grid(shown);
}

}  // namespace ascore::tools
