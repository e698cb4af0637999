#include "engine/training/trainer.hpp"

#include "engine/training/metrics_log.hpp"
#include "engine/training/noise_levels.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace ascore {

namespace {

/// Samples as a device tensor: [N, sample_shape...].
Tensor to_device(Ctx& ctx, std::span<const float> values, int64_t count, const Shape& sample) {
  std::vector<int64_t> dims{count};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  const Shape shape{std::span<const int64_t>(dims)};
  const Tensor batch = ctx.empty(shape, DType::f32, MemoryKind::data);
  copy(ctx.stream, batch.view(), ConstView(values.data(), shape, DType::f32, Device::cpu));
  return batch;
}

Tensor level_tensor(Ctx& ctx, const NoiseConfig& config) {
  const std::vector<double> levels = noise_levels(config);
  return ctx.from_host(levels, {static_cast<int64_t>(levels.size())}, DType::f32);
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

bool due(int64_t step, int64_t every) {
  return every > 0 && step % every == 0;
}

}  // namespace

struct Trainer::State {
  State(Ctx& context, const TrainerConfig& c, ScoreNetwork& n, Critic* d, const Dataset& images,
        std::filesystem::path folder)
      : ctx(context.detached()),
        config(c),
        network(n),
        data(images),
        run(std::move(folder)),
        levels(level_tensor(ctx, c.noise)),
        score(ctx, n, c.score_optimizer, c.ema, DType::f32) {
    check(config.training);
    if (d) critic.emplace(ctx, *d, c.critic_optimizer, std::nullopt, DType::f32);
    game.emplace(GameConfig{c.target, c.training.loss, c.adversarial, c.range}, n, score, d,
                 critic ? &*critic : nullptr);
    score.initialise(ctx, c.seed);
    if (critic) critic->initialise(ctx, c.seed, "critic");
  }

  NoiseKey key(RandomStream stream, int64_t draw) const {
    return {.seed = config.seed, .stream = id(stream), .first_sample = 0, .step = static_cast<uint32_t>(draw)};
  }
  NoisyBatch noisy(const Tensor& clean, RandomStream sigma, RandomStream noise, int64_t draw) {
    return add_noise(ctx, clean, levels, config.target, key(sigma, draw), key(noise, draw));
  }
  /// The context of an update, whose layers draw with `stream`.
  Ctx drawing(RandomStream stream, int64_t draw) const {
    Ctx result = ctx;
    result.random = key(stream, draw);
    return result;
  }
  void iterate(Loader& loader, Progress& progress);
  HeldOutLoss held_out_loss();
  Checkpoint checkpoint();
  void save(const TrainerObserver& observer);
  [[noreturn]] void diverged(int64_t at, const std::string& what) const;

  Ctx ctx;
  TrainerConfig config;
  ScoreNetwork& network;
  const Dataset& data;
  std::filesystem::path run;
  Tensor levels;
  Learner score;
  std::optional<Learner> critic;
  std::optional<AdversarialGame> game;
  std::optional<MetricsLog> metrics;  ///< from run() on, if the run has a folder
  int64_t step = 0, data_position = 0;
  std::optional<int64_t> saved_step;
};

/// One iteration: the critic's updates, each on the next batch, then the score network's on the last of these batches.
void Trainer::State::iterate(Loader& loader, Progress& progress) {
  const int64_t batches = config.adversarial ? config.adversarial->critic_steps : 1;
  Tensor clean;
  for (int64_t i = 0; i < batches; ++i, ++data_position) {
    clean = to_device(ctx, loader.next().values, config.training.batch_size, data.sample_shape());
    if (!critic) continue;
    const int64_t draw = step * batches + i;
    const NoisyBatch batch = noisy(clean, RandomStream::critic_sigma, RandomStream::critic_noise, draw);
    Ctx update = drawing(RandomStream::critic_dropout, draw);
    progress.critic = game->update_critic(update, batch).loss;
  }
  const NoisyBatch batch = noisy(clean, RandomStream::sigma, RandomStream::noise, step);
  Ctx score_ctx = drawing(RandomStream::dropout, step);
  const ScoreUpdate update = game->update_score(score_ctx, batch);
  progress.loss = update.loss;
  progress.dsm = update.dsm;
  progress.generator = update.generator;
  progress.step = ++step;
}

HeldOutLoss Trainer::State::held_out_loss() {
  const int64_t count = std::min(config.training.held_out_samples, data.size(Split::test));
  const Learner::Averaged averaged(score);
  Ctx inference = ctx;
  inference.training = false;
  const int64_t width = data.sample_shape().count();
  LossByLevel losses(noise_levels(config.noise));
  for (int64_t begin = 0; begin < count; begin += config.training.batch_size) {
    const int64_t rows = std::min(config.training.batch_size, count - begin);
    std::vector<float> values(static_cast<size_t>(rows * width));
    for (int64_t i = 0; i < rows; ++i) data.read(Split::test, begin + i, values.data() + i * width);
    const Tensor clean = to_device(inference, values, rows, data.sample_shape());
    NoiseKey sigma = key(RandomStream::held_out, 0), noise = key(RandomStream::held_out_noise, 0);
    sigma.first_sample = noise.first_sample = static_cast<uint64_t>(begin);
    const NoisyBatch batch = add_noise(inference, clean, levels, config.target, sigma, noise);
    const Tensor per_sample = inference.empty({rows}, clean.dtype());
    evaluate_score(inference, network, batch, config.training.loss, per_sample);
    losses.add(inference.to_host(batch.sigma), inference.to_host(per_sample));
  }
  return losses.result();
}

Checkpoint Trainer::State::checkpoint() {
  Checkpoint result{.step = step,
                    .seed = config.seed,
                    .data_position = data_position,
                    .threads = ctx.stream.threads(),
                    .device = name(ctx.stream.device()),
                    .precision = name(ctx.compute),
                    .recipe = config.recipe,
                    .optimizer_steps = {},
                    .tensors = {}};
  store_learner(ctx, score, "score", result);
  if (critic) store_learner(ctx, *critic, "critic", result);
  return result;
}

void Trainer::State::diverged(int64_t at, const std::string& what) const {
  const std::string resume =
      saved_step ? fmt::format("; resume from step {} with a lower learning rate", *saved_step) : "";
  throw DivergedError(fmt::format("step {}: {}{}", at, what, resume));
}

/// Writes a checkpoint, unless this step has one. What is not finite is never saved: the last checkpoint stays a good
/// one to resume from.
void Trainer::State::save(const TrainerObserver& observer) {
  if (run.empty() || saved_step == step) return;
  const Checkpoint now = checkpoint();
  for (const auto& [tensor, values] : now.tensors) {
    if (!all_finite(values)) diverged(step, fmt::format("'{}' holds values that are not finite", tensor));
  }
  if (metrics) metrics->sync();
  save_checkpoint(run, now, config.training.keep_checkpoints);
  saved_step = step;
  if (observer.saved) observer.saved(checkpoint_file(run, step));
}

Trainer::Trainer(Ctx& ctx, const TrainerConfig& config, ScoreNetwork& network, Critic* critic, const Dataset& data,
                 std::filesystem::path run)
    : state_(std::make_unique<State>(ctx, config, network, critic, data, std::move(run))) {}

Trainer::~Trainer() = default;

void Trainer::resume(const Checkpoint& checkpoint) {
  State& s = *state_;
  if (checkpoint.seed != s.config.seed) {
    throw DataError(fmt::format("the checkpoint was trained with seed {}, not {}: resume with that seed",
                                checkpoint.seed, s.config.seed));
  }
  const std::string device = name(s.ctx.stream.device()), precision = name(s.ctx.compute);
  if (checkpoint.device != device || checkpoint.precision != precision) {
    throw ConfigError(fmt::format("this run was trained on {0} in {1}, not on {2} in {3}: resume on {0} in {1}",
                                  checkpoint.device, checkpoint.precision, device, precision));
  }
  if (s.critic.has_value() != checkpoint.optimizer_steps.contains("critic")) {
    throw DataError(s.critic ? "checkpoint of another model: it has no critic"
                             : "checkpoint of another model: it was trained with a critic");
  }
  load_learner(s.ctx, s.score, "score", checkpoint);
  if (s.critic) load_learner(s.ctx, *s.critic, "critic", checkpoint);
  s.step = checkpoint.step;
  s.data_position = checkpoint.data_position;
  s.saved_step = checkpoint.step;
}

TrainingEnd Trainer::run(const std::atomic<bool>& stop, const TrainerObserver& observer) {
  State& s = *state_;
  const TrainingConfig& training = s.config.training;
  s.save(observer);
  if (!s.run.empty()) s.metrics.emplace(s.run, s.step);
  if (s.step >= training.steps) return TrainingEnd::finished;
  Loader loader(s.data, Split::train, training.batch_size, true, s.config.flip, s.config.seed, s.data_position);
  const auto start = std::chrono::steady_clock::now();
  const int64_t first = s.step;
  while (s.step < training.steps) {
    if (stop.load()) {
      s.save(observer);
      return TrainingEnd::stopped;
    }
    Progress progress;
    try {
      s.iterate(loader, progress);
    } catch (const DivergedError& error) {
      s.diverged(s.step + 1, error.what());
    }
    const bool last = s.step == training.steps;
    const bool measurable = s.data.size(Split::test) > 0 && training.held_out_samples > 0;
    if (measurable && (due(s.step, training.held_out_every) || (last && training.held_out_every > 0)))
      progress.held_out = s.held_out_loss();
    progress.steps = training.steps;
    progress.seconds = seconds_since(start);
    const double per_step = progress.seconds / static_cast<double>(s.step - first);
    progress.samples_per_second = static_cast<double>(training.batch_size) / per_step;
    progress.eta_seconds = per_step * static_cast<double>(training.steps - s.step);
    if (s.metrics && (due(s.step, training.log_every) || last || progress.held_out))
      s.metrics->append(progress, s.critic.has_value());
    if (observer.progress) observer.progress(progress);
    if (observer.preview && (due(s.step, training.preview_every) || (last && training.preview_every > 0))) {
      const Learner::Averaged averaged(s.score);
      Ctx inference = s.ctx;
      inference.training = false;
      observer.preview(inference, s.step);
    }
    if (due(s.step, training.checkpoint_every) || last) s.save(observer);
  }
  return TrainingEnd::finished;
}

void Trainer::show_picture(const std::string& tag, const HostTensor& picture) {
  if (state_->metrics) state_->metrics->append(state_->step, tag, picture);
}

int64_t Trainer::step() const {
  return state_->step;
}
Checkpoint Trainer::checkpoint() {
  return state_->checkpoint();
}
HeldOutLoss Trainer::held_out_loss() {
  return state_->held_out_loss();
}
Learner& Trainer::score() {
  return state_->score;
}
Learner* Trainer::critic() {
  return state_->critic ? &*state_->critic : nullptr;
}

}  // namespace ascore
