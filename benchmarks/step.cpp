#include "benchmarks/commands.hpp"
#include "benchmarks/timing.hpp"
#include "engine/training/adversarial.hpp"
#include "engine/training/noise_levels.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "models/registry.hpp"

#include <fmt/format.h>

namespace ascore::bench {

void step(Options& options) {
  const int64_t size = options.get("size", 32), channels = options.get("channels", 3);
  const int64_t batch_size = options.get("batch", 4);
  const ScoreNetworkConfig config{
      .name = "ncsnv2", .sample_shape = {size, size, channels}, .width = options.get("width", 128)};
  Stream stream(Device::cpu, {.threads = static_cast<int>(options.get("threads", 0))});
  const int64_t warm_up = options.get("warm-up", 3), steps = options.get("steps", 10);
  options.check_all_used();

  const auto allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  const auto network = make_score_network(config);
  Learner learner(ctx, *network, OptimizerConfig{}, 0.9999, DType::f32);
  learner.initialise(ctx, 1);
  AdversarialGame game(GameConfig{}, *network, learner, nullptr, nullptr);
  const std::vector<double> sigmas = noise_levels(NoiseConfig{});
  const Tensor levels = ctx.from_host(sigmas, {static_cast<int64_t>(sigmas.size())}, DType::f32);
  const Tensor clean = ctx.empty({batch_size, size, size, channels}, DType::f32, MemoryKind::data);
  kernels::random_uniform(stream, {.seed = 2}, 0, 1, clean.view());

  uint32_t at = 0;
  double loss = 0;
  const double ms = median_ms(warm_up, steps, [&] {
    const NoiseKey key{.seed = 3, .step = at++};
    const NoisyBatch batch =
        add_noise(ctx, clean, levels, ScoreTarget::gaussian, key.with_stream(id(RandomStream::sigma)),
                  key.with_stream(id(RandomStream::noise)));
    loss = game.update_score(ctx, batch).loss;
  });
  fmt::print("step ms {:.1f} threads {} parameters {} loss {:.1f}\n", ms, stream.threads(), learner.parameters.count(),
             loss);
}

}  // namespace ascore::bench
