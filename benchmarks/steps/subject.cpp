#include "benchmarks/steps/subject.hpp"

#include "engine/training/noise_levels.hpp"
#include "engine/training/random_streams.hpp"
#include "engine/training/trainer.hpp"
#include "kernels/core/error.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "models/registry.hpp"
#include "samplers/sampling.hpp"
#include "tools/configs.hpp"
#include "tools/session.hpp"

#include <algorithm>
#include <atomic>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

/// Made-up samples: uniform pixels, drawn once.
class MadeUpData final : public Dataset {
 public:
  MadeUpData(const Shape& sample, int64_t size) : Dataset(sample, {}, 0), size_(size) {
    Stream host(Device::cpu, {.threads = 1});
    values_.resize(static_cast<size_t>(size * sample.count()));
    kernels::random_uniform(host, {.seed = 2}, 0, 1,
                            View(values_.data(), {size, sample.count()}, DType::f32, Device::cpu));
  }
  int64_t size(Split) const override { return size_; }
  int64_t label(Split, int64_t) const override { return 0; }

 protected:
  void load(Split, int64_t index, float* out) const override {
    const int64_t width = sample_shape().count();
    std::copy_n(values_.data() + index * width, width, out);
  }

 private:
  int64_t size_;
  std::vector<float> values_;
};

Shape batch_shape(const tools::Recipe& recipe) {
  const Shape sample = tools::sample_shape(recipe);
  std::vector<int64_t> dims{recipe.training.batch_size};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  return Shape(std::span<const int64_t>(dims));
}

Tensor uniform(Ctx& ctx, const Shape& shape) {
  const Tensor x = ctx.empty(shape, DType::f32, MemoryKind::data);
  kernels::random_uniform(ctx.stream, {.seed = 2}, 0, 1, x.view());
  return x;
}

StepReport report(Ctx& ctx, const RoundTimer& timer, int64_t parameters) {
  return {.times = timer.times(),
          .launches = timer.launches_per_step(),
          .parameters = parameters,
          .peak_bytes = ctx.allocator.ledger().total().peak};
}

}  // namespace

StepReport time_training(Ctx& ctx, const tools::Recipe& recipe, const Rounds& rounds) {
  TrainerConfig config = tools::trainer_config(recipe);
  config.training.steps = rounds.all();
  config.training.held_out_every = config.training.preview_every = config.training.checkpoint_every = 0;
  config.training.log_every = rounds.all();
  const auto network = make_score_network(tools::score_network_config(recipe));
  const auto critic = recipe.has_critic ? make_critic(tools::critic_config(recipe)) : nullptr;
  const MadeUpData data(tools::sample_shape(recipe), 2 * recipe.training.batch_size);
  Trainer trainer(ctx, config, *network, critic.get(), data, {});
  RoundTimer timer(ctx.stream, rounds);
  std::atomic<bool> stop = false;
  double loss = 0;
  trainer.run(stop, {.progress = [&](const Progress& progress) {
                loss = progress.loss;
                timer.step_done();
              }});
  StepReport result = report(ctx, timer, trainer.score().parameters.count());
  result.loss = loss;
  return result;
}

StepReport time_critic(Ctx& ctx, const tools::Recipe& recipe, const Rounds& rounds) {
  if (!recipe.has_critic) throw ConfigError(fmt::format("recipe {}: has no critic to be timed", recipe.source));
  const TrainerConfig config = tools::trainer_config(recipe);
  const auto network = make_score_network(tools::score_network_config(recipe));
  const auto critic = make_critic(tools::critic_config(recipe));
  Learner score(ctx, *network, config.score_optimizer, config.ema, DType::f32);
  Learner critic_learner(ctx, *critic, config.critic_optimizer, std::nullopt, DType::f32);
  score.initialise(ctx, config.seed);
  critic_learner.initialise(ctx, config.seed, "critic");
  AdversarialGame game({config.target, config.training.loss, config.adversarial, config.range}, *network, score,
                       critic.get(), &critic_learner);
  const std::vector<double> sigmas = noise_levels(config.noise);
  const Tensor levels = ctx.from_host(sigmas, {static_cast<int64_t>(sigmas.size())}, DType::f32);
  const Tensor clean = uniform(ctx, batch_shape(recipe));
  RoundTimer timer(ctx.stream, rounds);
  uint32_t step = 0;
  do {
    const NoiseKey key{.seed = config.seed, .step = step++};
    const NoisyBatch batch =
        add_noise(ctx, clean, levels, config.target, key.with_stream(id(RandomStream::critic_sigma)),
                  key.with_stream(id(RandomStream::critic_noise)));
    game.update_critic(ctx, batch);
  } while (!timer.step_done());
  return report(ctx, timer, score.parameters.count());
}

StepReport time_sampling(Ctx& ctx, const tools::Recipe& recipe, const Rounds& rounds) {
  const auto network = make_score_network(tools::score_network_config(recipe));
  ParameterSet parameters(ctx, *network, DType::f32);
  parameters.initialise(ctx, static_cast<uint64_t>(recipe.seed));
  SamplingPlan plan = make_plan(tools::sampling_config(recipe), tools::noise_config(recipe));
  const auto levels = static_cast<size_t>(rounds.all());
  if (plan.sigmas.size() < levels) {
    throw ConfigError(fmt::format("recipe {}: has {} noise levels, fewer than the {} steps to be timed", recipe.source,
                                  plan.sigmas.size(), levels));
  }
  plan.sigmas.erase(plan.sigmas.begin(), plan.sigmas.end() - static_cast<std::ptrdiff_t>(levels));
  plan.replayed = recipe.training.cuda_graphs;
  const bool dae = recipe.score.target == "dae";
  const ScoreFn score = [&](Ctx& c, const Tensor& x, const auto& sigma) {
    return tools::estimated_score(c, *network, dae, x, sigma);
  };
  RoundTimer timer(ctx.stream, rounds);
  run_sampler(ctx, plan, score, uniform(ctx, batch_shape(recipe)),
              NoiseKey{.seed = 1, .stream = id(RandomStream::sampler_noise)},
              [&](size_t, const Tensor&) { timer.step_done(); });
  return report(ctx, timer, parameters.count());
}

}  // namespace ascore::bench
