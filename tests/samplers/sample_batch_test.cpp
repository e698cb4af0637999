#include "samplers/sample_batch.hpp"

#include "engine/training/random_streams.hpp"
#include "kernels/add_scaled_rows/add_scaled_rows.hpp"
#include "kernels/core/error.hpp"
#include "samplers/sampling.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/point_mass.hpp"

using namespace ascore;

namespace {

const Shape kSample{8, 8, 1};

Shape batch_of(int64_t rows) {
  return {rows, 8, 8, 1};
}

/// A score that treats the rows of a batch differently, as a library may whose kernels depend on the batch: what is
/// drawn must not depend on what is asked for even then.
Tensor lopsided_score(Ctx& ctx, const Tensor& x, double sigma) {
  std::vector<double> factors;
  for (int64_t row = 0; row < x.dim(0); ++row) factors.push_back(-(1 + 1e-3 * double(row)) / (sigma * sigma));
  Tensor score = ctx.empty_like(x);
  kernels::add_scaled_rows(ctx.stream, {}, ctx.from_host(factors, {x.dim(0)}, DType::f32), x, score);
  return score;
}

struct Drawn {
  std::vector<double> plain, denoised;
};

Drawn draw(Device device, SamplerKind sampler, int64_t first, int64_t count, int threads) {
  Stream stream(device, {.threads = threads});
  const auto allocator = make_pool_allocator(device);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  const SamplingPlan plan = make_plan({.sampler = sampler, .n_sigma = 2}, {1, 0.1, 5, Spacing::geometric});
  const Samples samples = sample_batch(
      ctx, {.seed = 7, .first = first, .count = count, .tile = 4},
      [](Ctx& c, int64_t rows, const NoiseKey& key) { return uniform_start(c, batch_of(rows), 0, 1, key); },
      [&](Ctx& c, Tensor x, const NoiseKey& key) { return run_sampler(c, plan, lopsided_score, x, key); });
  CHECK(samples.plain.shape() == batch_of(count));
  CHECK(samples.denoised.shape() == batch_of(count));
  return {ctx.to_host(samples.plain), ctx.to_host(samples.denoised)};
}

}  // namespace

TEST_CASE("samples are the same bytes however many are drawn at once, on any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto sampler = GENERATE(SamplerKind::cas, SamplerKind::als);
  CAPTURE(name(device), name(sampler));
  const Drawn ten = draw(device, sampler, 0, 10, 1);
  CHECK(draw(device, sampler, 0, 10, 2).plain == ten.plain);
  Drawn threes;
  for (int64_t first = 0; first < 10; first += 3) {
    const Drawn part = draw(device, sampler, first, std::min<int64_t>(3, 10 - first), 2);
    threes.plain.insert(threes.plain.end(), part.plain.begin(), part.plain.end());
    threes.denoised.insert(threes.denoised.end(), part.denoised.begin(), part.denoised.end());
  }
  CHECK(threes.plain == ten.plain);
  CHECK(threes.denoised == ten.denoised);
  CHECK(std::vector<double>(ten.plain.begin(), ten.plain.begin() + 64) !=
        std::vector<double>(ten.plain.begin() + 64, ten.plain.begin() + 128));
}

TEST_CASE("sample_batch hands every tile the keys of its rows") {
  test::Bench bench(Device::cpu);
  std::vector<NoiseKey> starts, noises;
  sample_batch(
      bench.ctx, {.seed = 9, .first = 5, .count = 5, .tile = 4},
      [&](Ctx& ctx, int64_t rows, const NoiseKey& key) {
        CHECK(rows == 4);
        starts.push_back(key);
        return ctx.zeros(batch_of(rows), DType::f32);
      },
      [&](Ctx&, Tensor x, const NoiseKey& key) {
        noises.push_back(key);
        return Samples{x, x};
      });
  REQUIRE(starts.size() == 2);
  for (size_t i = 0; i < 2; ++i) {
    CHECK(starts[i].seed == 9);
    CHECK(starts[i].stream == id(RandomStream::sampler_start));
    CHECK(noises[i].stream == id(RandomStream::sampler_noise));
    CHECK(starts[i].first_sample == 4 + 4 * i);
    CHECK(noises[i].first_sample == 4 + 4 * i);
  }
}

TEST_CASE("tiles are small for large samples, and requests that make no sense are refused") {
  CHECK(tile_size({2}) == 256);
  CHECK(tile_size(kSample) == 32);
  CHECK(tile_size({32, 32, 3}) == 8);
  test::Bench bench(Device::cpu);
  const TileStart start = [](Ctx& ctx, int64_t rows, const NoiseKey&) { return ctx.zeros(batch_of(rows), DType::f32); };
  const TileSampler sampler = [](Ctx&, Tensor x, const NoiseKey&) { return Samples{x, x}; };
  CHECK_THROWS_AS(sample_batch(bench.ctx, {.count = 0, .tile = 4}, start, sampler), ConfigError);
  CHECK_THROWS_AS(sample_batch(bench.ctx, {.first = -1, .count = 1, .tile = 4}, start, sampler), ConfigError);
  CHECK_THROWS_AS(sample_batch(bench.ctx, {.count = 1, .tile = 0}, start, sampler), ConfigError);
}
