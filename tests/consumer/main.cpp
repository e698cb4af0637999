// Trains a conditional MLP on 25 Gaussians and draws 500 points from it, with the installed library.
#include "engine/data/dataset.hpp"
#include "engine/metrics/modes.hpp"
#include "engine/training/trainer.hpp"
#include "models/registry.hpp"
#include "samplers/sample_batch.hpp"
#include "samplers/sampling.hpp"

#include <cstdio>

int main() {
  using namespace ascore;
  Stream stream(Device::cpu);
  const auto allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};

  const auto data = open_dataset({.name = "gaussians25"}, 1);
  const auto network = make_score_network({.name = "mlp", .sample_shape = {2}, .width = 256, .conditional = true});
  TrainerConfig config{.seed = 1, .noise = {.sigma_begin = 4, .sigma_end = 0.01, .levels = 60}, .ema = 0.999};
  config.training = {.steps = 3000, .batch_size = 256, .held_out_every = 0};
  config.score_optimizer = {.lr = 2e-3, .beta1 = 0.9, .beta2 = 0.999};
  Trainer trainer(ctx, config, *network, nullptr, *data, "");  // an empty folder: nothing is written
  trainer.run({false});

  const ScoreFn score = [&](Ctx& c, const Tensor& x, double sigma) {  // the network estimates sigma times the score
    const Tensor sigmas = c.from_host(std::vector<double>(x.dim(0), sigma), {x.dim(0)}, x.dtype());
    return scale(c, network->forward(c, x, sigmas), 1 / sigma);
  };
  const SamplingPlan plan = make_plan({.sampler = SamplerKind::cas}, config.noise);
  const Samples samples = sample_batch(
      ctx, {.seed = 7, .count = 500, .tile = tile_size({2})},
      [](Ctx& c, int64_t rows, const NoiseKey& key) {
        return uniform_start(c, {rows, 2}, -3, 3, key);
      },
      [&](Ctx& c, Tensor x, const NoiseKey& key) { return run_sampler(c, plan, score, x, key); });
  const ModeCoverage found = mode_coverage(ctx.to_host(samples.denoised), *mixture_of("gaussians25"));
  std::printf("%d of %d modes, %.1f %% of 500 points within 3 sd\n", found.modes, found.of, 100 * found.within_3sd);
}
