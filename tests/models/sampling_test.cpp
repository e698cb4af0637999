#include "samplers/sampling.hpp"

#include "engine/nn/parameters.hpp"
#include "models/mlp.hpp"
#include "models/ncsnv2.hpp"
#include "samplers/sample_batch.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;

namespace {

ScoreNetworkConfig small_network(const std::string& name) {
  ScoreNetworkConfig config;
  config.name = name;
  config.conditional = name == "mlp";
  config.sample_shape = name == "mlp" ? Shape{2} : Shape{8, 8, 1};
  config.width = name == "mlp" ? 64 : 8;
  return config;
}

std::unique_ptr<ScoreNetwork> make(const ScoreNetworkConfig& config) {
  if (config.name == "mlp") return std::make_unique<MlpScore>(config);
  return std::make_unique<Ncsnv2>(config);
}

Shape rows_of(int64_t rows, const Shape& sample) {
  std::vector<int64_t> dims = {rows};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  return Shape(dims);
}

/// Samples [first, first + count) of seed 7 from an untrained network, in a process of `threads` threads.
std::vector<double> draw(const std::string& name, int64_t first, int64_t count, int threads) {
  Stream stream(Device::cpu, {.threads = threads});
  const auto allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  const ScoreNetworkConfig config = small_network(name);
  const auto network = make(config);
  ParameterSet parameters(ctx, *network, DType::f32);
  parameters.initialise(ctx, 3);
  const ScoreFn score = [&](Ctx& c, const Tensor& x, double sigma) {
    const std::vector<double> sigmas(static_cast<size_t>(x.dim(0)), sigma);
    return scale(c, network->forward(c, x, c.from_host(sigmas, {x.dim(0)}, x.dtype())), 1 / sigma);
  };
  const SamplingPlan plan = make_plan({}, {4, 0.1, 6, Spacing::geometric});
  const Shape& sample = config.sample_shape;
  const Samples samples = sample_batch(
      ctx, {.seed = 7, .first = first, .count = count, .tile = tile_size(sample)},
      [&](Ctx& c, int64_t rows, const NoiseKey& key) { return uniform_start(c, rows_of(rows, sample), 0, 1, key); },
      [&](Ctx& c, Tensor x, const NoiseKey& key) { return run_sampler(c, plan, score, x, key); });
  return ctx.to_host(samples.denoised);
}

}  // namespace

TEST_CASE("a network's samples are the same bytes however many are drawn at once, on 1 and 2 threads") {
  const std::string name = GENERATE("mlp", "ncsnv2");
  CAPTURE(name);
  const auto ten = draw(name, 0, 10, 1);
  CHECK(draw(name, 0, 10, 2) == ten);
  std::vector<double> threes;
  for (int64_t first = 0; first < 10; first += 3) {
    const auto part = draw(name, first, std::min<int64_t>(3, 10 - first), 2);
    threes.insert(threes.end(), part.begin(), part.end());
  }
  CHECK(threes == ten);
  for (double value : ten) CHECK(std::isfinite(value));
}
