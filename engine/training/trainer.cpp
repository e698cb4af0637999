#include "engine/training/trainer.hpp"

#include "engine/autograd/master_type.hpp"
#include "engine/training/classification.hpp"
#include "engine/training/metrics_log.hpp"
#include "engine/training/noise_levels.hpp"
#include "engine/training/random_streams.hpp"
#include "engine/training/replayed_step.hpp"
#include "engine/training/training_ranks.hpp"
#include "kernels/cast/cast.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

namespace ascore {

namespace {

/// Memory for samples: [N, sample_shape...].
Tensor batch_tensor(Ctx& ctx, int64_t count, const Shape& sample) {
  std::vector<int64_t> dims{count};
  dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
  return ctx.empty(Shape{std::span<const int64_t>(dims)}, master_type(ctx), MemoryKind::data);
}

void fill_from_host(Ctx& ctx, const Tensor& batch, std::span<const float> values) {
  const ConstView read(values.data(), batch.shape(), DType::f32, Device::cpu);
  if (batch.dtype() == read.dtype()) {
    copy(ctx.stream, batch.view(), read);
  } else {  // f64, which only the cpu has
    kernels::cast(ctx.stream, read, batch.view());
  }
}

Tensor level_tensor(Ctx& ctx, const NoiseConfig& config) {
  const std::vector<double> levels = noise_levels(config);
  return ctx.from_host(levels, {static_cast<int64_t>(levels.size())}, master_type(ctx));
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void append(std::vector<double>& values, const std::vector<double>& more) {
  values.insert(values.end(), more.begin(), more.end());
}

bool due(int64_t step, int64_t every) {
  return every > 0 && step % every == 0;
}

}  // namespace

struct Trainer::State {
  /// What a score network and a classifier have in common: `n` is either.
  State(Ctx& context, const TrainerConfig& c, Module& n, const Dataset& images, std::filesystem::path folder,
        Communicator* several)
      : ctx(context.detached()),
        config(c),
        data(images),
        run(std::move(folder)),
        alone(several ? nullptr : make_self_communicator()),
        ranks(several ? *several : *alone, c.training.batch_size),
        clean(batch_tensor(ctx, ranks.share().count, images.sample_shape())),
        score(ctx, n, c.score_optimizer, c.ema, master_type(ctx)),
        record(ctx),
        arena(ctx.allocator),
        score_step(arena, captures()) {
    check(config.training);
  }

  State(Ctx& context, const TrainerConfig& c, ScoreNetwork& n, Critic* d, const Dataset& images,
        std::filesystem::path folder, Communicator* several)
      : State(context, c, n, images, std::move(folder), several) {
    network = &n;
    levels = level_tensor(ctx, c.noise);
    if (d) critic_step.emplace(arena, captures());
    if (d) critic.emplace(ctx, *d, c.critic_optimizer, std::nullopt, master_type(ctx));
    game.emplace(GameConfig{.target = c.target,
                            .loss = c.training.loss,
                            .adversarial = c.adversarial,
                            .range = c.range,
                            .micro_batch = part_size() < ranks.share().count ? part_size() : 0,
                            .recompute = c.training.recompute,
                            .share = ranks.share(),
                            .peers = ranks.peers()},
                 n, score, d, critic ? &*critic : nullptr);
    score.initialise(ctx, c.seed);
    if (critic) critic->initialise(ctx, c.seed, "critic");
  }

  State(Ctx& context, const TrainerConfig& c, Module& classifier, const Dataset& images, std::filesystem::path folder)
      : State(context, c, classifier, images, std::move(folder), nullptr) {
    if (c.adversarial) throw ConfigError("a classifier plays against no critic");
    if (c.training.micro_batch != 0)
      throw ConfigError("a classifier looks at whole batches: training.micro_batch is 0");
    classification.emplace(ctx, classifier, score, c.training.batch_size, c.training.recompute);
    score.initialise(ctx, c.seed);
  }

  /// Samples that are in memory with all that they become, at most.
  int64_t part_size() const {
    const TrainingConfig& training = config.training;
    return training.micro_batch > 0 ? std::min(ranks.share().count, training.micro_batch) : ranks.share().count;
  }
  /// Whether steps are captured: what ranks do together in host memory is no part of a graph.
  bool captures() const {
    const Device device = ctx.stream.device();
    return config.training.cuda_graphs && has_graphs(device) &&
           (ranks.alone() || ranks.communicator().queues_on(device));
  }
  bool writes() const { return !run.empty() && ranks.communicator().is_root(); }
  NoiseKey key(RandomStream stream) const {
    return {.seed = config.seed, .stream = id(stream), .first_sample = 0, .step = 0};
  }
  /// The key of the learner's current update, whose draw is read on the device.
  NoiseKey key(RandomStream stream, const Learner& learner) const {
    NoiseKey result = key(stream);
    result.first_sample = static_cast<uint64_t>(ranks.share().first);
    result.step_offset = learner.draw().as<double>();
    return result;
  }
  /// Noise for the learner's current update.
  NoisyBatch noisy(Ctx& c, RandomStream sigma, RandomStream noise, const Learner& learner) const {
    return add_noise(c, clean, levels, config.target, key(sigma, learner), key(noise, learner));
  }
  /// Of the network that learns, in checkpoints.
  const char* role() const { return classification ? "classifier" : "score"; }
  int64_t batches_per_step() const { return config.adversarial ? config.adversarial->critic_steps : 1; }
  void queue_critic(Ctx& c);
  void queue_score(Ctx& c);
  void iterate(Loader& loader);
  void look(Progress& progress);
  Tensor held_out_samples(Ctx& c, int64_t first, int64_t count) const;
  HeldOutLoss held_out_loss();
  HeldOutLoss held_out_classes();
  Checkpoint checkpoint();
  void save(const TrainerObserver& observer);
  void require_equal_ranks();
  [[noreturn]] void diverged(int64_t at, const std::string& what) const;

  Ctx ctx;
  TrainerConfig config;
  ScoreNetwork* network = nullptr;  ///< null where a classifier learns
  const Dataset& data;
  std::filesystem::path run;
  std::unique_ptr<Communicator> alone;  ///< where no other was given
  TrainingRanks ranks;
  Tensor levels, clean;
  Learner score;  ///< of the score network, or of the classifier
  std::optional<Learner> critic;
  std::optional<AdversarialGame> game;
  std::optional<Classification> classification;  ///< exactly one of this and the game
  UpdateRecord record;
  ArenaAllocator arena;
  std::optional<ReplayedStep> critic_step;
  ReplayedStep score_step;
  std::optional<MetricsLog> metrics;  ///< from run() on, if this process writes
  int64_t step = 0, data_position = 0;
  std::optional<int64_t> saved_step;
};

void Trainer::State::queue_critic(Ctx& c) {
  const NoisyBatch batch = noisy(c, RandomStream::critic_sigma, RandomStream::critic_noise, *critic);
  Ctx drawing = c;
  drawing.random = key(RandomStream::critic_dropout, *critic);
  game->queue_critic(drawing, batch, record);
}

void Trainer::State::queue_score(Ctx& c) {
  if (classification) return classification->queue(c, clean, record);
  const NoisyBatch batch = noisy(c, RandomStream::sigma, RandomStream::noise, score);
  Ctx drawing = c;
  drawing.random = key(RandomStream::dropout, score);
  game->queue_score(drawing, batch, record);
}

/// Queues one iteration: the critic's updates, each on the next batch, then the score network's on the last of these
/// batches. Only batches and the updates' numbers are written from the host; nothing is read.
void Trainer::State::iterate(Loader& loader) {
  const int64_t batches = batches_per_step();
  for (int64_t i = 0; i < batches; ++i, ++data_position) {
    const Batch batch = loader.next();
    fill_from_host(ctx, clean, batch.values);
    if (classification) classification->take(ctx, batch.labels);
    if (i + 1 == batches) score.begin_update(ctx, step);
    if (!critic) continue;
    critic->begin_update(ctx, step * batches + i);
    critic_step->run(ctx, [this](Ctx& c) { queue_critic(c); });
  }
  score_step.run(ctx, [this](Ctx& c) { queue_score(c); });
  ++step;
}

/// Waits for what is queued and reads its losses. Throws DivergedError if one of the updates since the last look met
/// something not finite: then the run stands where it stood before that update's step.
void Trainer::State::look(Progress& progress) {
  const UpdateRecord::Values values = record.read(ctx);
  ranks.communicator().check();  // of a rank that is gone, sums are anything
  if (values.halt) {
    const auto& [player, draw, what] = *values.halt;
    const int64_t batches = batches_per_step(), at = player == Player::critic ? draw / batches : draw;
    score.forget_updates(at);
    if (critic) critic->forget_updates(player == Player::critic ? draw : (at + 1) * batches);
    data_position -= (step - at) * batches;
    step = at;
    record.clear(ctx);
    diverged(at + 1, what);
  }
  progress.loss = values.score.loss;
  progress.dsm = values.score.first_part;
  progress.generator = values.score.second_part;
  progress.critic = values.critic.loss;
}

/// Test samples first, first + 1, ...
Tensor Trainer::State::held_out_samples(Ctx& c, int64_t first, int64_t count) const {
  const int64_t width = data.sample_shape().count();
  std::vector<float> values(static_cast<size_t>(count * width));
  for (int64_t i = 0; i < count; ++i) data.read(Split::test, first + i, values.data() + i * width);
  const Tensor samples = batch_tensor(c, count, data.sample_shape());
  fill_from_host(c, samples, values);
  return samples;
}

HeldOutLoss Trainer::State::held_out_classes() {
  const int64_t count = std::min(config.training.held_out_samples, data.size(Split::test));
  const Learner::Averaged averaged(score);
  Ctx inference = ctx;
  inference.training = false;
  HeldOutLoss result{.mean = 0, .by_level = {}, .accuracy = 0};
  for (int64_t begin = 0; begin < count; begin += part_size()) {
    const int64_t rows = std::min(part_size(), count - begin);
    std::vector<int64_t> labels;
    for (int64_t i = begin; i < begin + rows; ++i) labels.push_back(data.label(Split::test, i));
    const ClassVerdicts verdicts = classification->judge(inference, held_out_samples(inference, begin, rows), labels);
    for (const double loss : verdicts.losses) result.mean += loss;
    for (const double hit : verdicts.hits) *result.accuracy += hit;
  }
  result.mean /= static_cast<double>(count);
  *result.accuracy /= static_cast<double>(count);
  return result;
}

/// Every rank measures a share of the samples, in parts that fit its memory; all add them up in the samples' order.
HeldOutLoss Trainer::State::held_out_loss() {
  if (classification) return held_out_classes();
  Communicator& all = ranks.communicator();
  const Share mine =
      share_of(std::min(config.training.held_out_samples, data.size(Split::test)), all.rank(), all.size());
  const Learner::Averaged averaged(score);
  Ctx inference = ctx;
  inference.training = false;
  std::vector<double> drawn, measured;
  const int64_t end = mine.first + mine.count;
  for (int64_t begin = mine.first; begin < end; begin += part_size()) {
    const int64_t rows = std::min(part_size(), end - begin);
    const Tensor held_out = held_out_samples(inference, begin, rows);
    NoiseKey sigma = key(RandomStream::held_out), noise = key(RandomStream::held_out_noise);
    sigma.first_sample = noise.first_sample = static_cast<uint64_t>(begin);
    const NoisyBatch batch = add_noise(inference, held_out, levels, config.target, sigma, noise);
    const Tensor per_sample = inference.empty({rows}, held_out.dtype());
    evaluate_score(inference, *network, batch, config.training.loss, per_sample);
    append(drawn, inference.to_host(batch.sigma));
    append(measured, inference.to_host(per_sample));
  }
  LossByLevel losses(noise_levels(config.noise));
  losses.add(ranks.joined(drawn), ranks.joined(measured));
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
  store_learner(ctx, score, role(), result);
  if (critic) store_learner(ctx, *critic, "critic", result);
  return result;
}

void Trainer::State::diverged(int64_t at, const std::string& what) const {
  const std::string resume =
      saved_step ? fmt::format("; resume from step {} with a lower learning rate", *saved_step) : "";
  throw DivergedError(fmt::format("step {}: {}{}", at, what, resume));
}

void Trainer::State::require_equal_ranks() {
  std::vector<const Learner*> learners{&score};
  if (critic) learners.push_back(&*critic);
  ranks.require_equal(ctx, learners, step);
}

/// Writes a checkpoint, unless this step has one. What is not finite is never saved: the last checkpoint stays a good
/// one to resume from. All ranks look, rank 0 writes.
void Trainer::State::save(const TrainerObserver& observer) {
  if (run.empty() || saved_step == step) return;
  Checkpoint now = checkpoint();
  ranks.communicator().check();
  for (const auto& [tensor, values] : now.tensors) {
    if (!all_finite(values)) diverged(step, fmt::format("'{}' holds values that are not finite", tensor));
  }
  if (metrics) metrics->sync();
  if (writes()) save_checkpoint(run, std::move(now), config.training.keep_checkpoints);
  saved_step = step;
  if (writes() && observer.saved) observer.saved(checkpoint_file(run, step));
}

Trainer::Trainer(Ctx& ctx, const TrainerConfig& config, ScoreNetwork& network, Critic* critic, const Dataset& data,
                 std::filesystem::path run, Communicator* ranks)
    : state_(std::make_unique<State>(ctx, config, network, critic, data, std::move(run), ranks)) {}

Trainer::Trainer(Ctx& ctx, const TrainerConfig& config, Module& classifier, const Dataset& data,
                 std::filesystem::path run)
    : state_(std::make_unique<State>(ctx, config, classifier, data, std::move(run))) {}

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
  load_learner(s.ctx, s.score, s.role(), checkpoint);
  if (s.critic) load_learner(s.ctx, *s.critic, "critic", checkpoint);
  s.step = checkpoint.step;
  s.data_position = checkpoint.data_position;
  s.saved_step = checkpoint.step;
}

TrainingEnd Trainer::run(const std::atomic<bool>& stop, const TrainerObserver& observer) {
  State& s = *state_;
  const TrainingConfig& training = s.config.training;
  s.save(observer);
  if (s.writes()) s.metrics.emplace(s.run, s.step);
  if (s.step >= training.steps) return TrainingEnd::finished;
  const BatchShare& mine = s.ranks.share();
  Loader loader(s.data, Split::train, training.batch_size, true, s.config.flip, s.config.seed, s.data_position,
                Share{.first = mine.first, .count = mine.count});
  const auto start = std::chrono::steady_clock::now();
  const int64_t first = s.step;
  const bool measurable = s.data.size(Split::test) > 0 && training.held_out_samples > 0;
  const bool is_root = s.ranks.communicator().is_root();
  Progress progress{.classifies = s.classification.has_value(),
                    .world_size = s.ranks.communicator().size(),
                    .local_batch = mine.count};
  while (s.step < training.steps) {
    if (s.ranks.any(stop.load())) {
      s.look(progress);
      s.save(observer);
      return TrainingEnd::stopped;
    }
    s.iterate(loader);
    const bool last = s.step == training.steps;
    const auto now = [&](int64_t every) { return due(s.step, every) || (last && every > 0); };
    const bool measures = measurable && now(training.held_out_every);
    const bool previews = observer.preview && now(training.preview_every);
    const bool saves = due(s.step, training.checkpoint_every) || last;
    const bool logs = now(training.log_every) || measures;
    if (logs || previews || saves) s.look(progress);
    if (!s.ranks.alone() && now(training.check_ranks_every)) s.require_equal_ranks();
    progress.step = s.step;
    progress.held_out.reset();
    if (measures) progress.held_out = s.held_out_loss();
    progress.steps = training.steps;
    progress.seconds = seconds_since(start);
    const double per_step = progress.seconds / static_cast<double>(s.step - first);
    progress.samples_per_second = static_cast<double>(training.batch_size) / per_step;
    progress.eta_seconds = per_step * static_cast<double>(training.steps - s.step);
    if (s.metrics && logs) s.metrics->append(progress, s.critic.has_value());
    if (observer.progress) observer.progress(progress);
    if (previews && is_root) {
      const Learner::Averaged averaged(s.score);
      Ctx inference = s.ctx;
      inference.training = false;
      observer.preview(inference, s.step);
    }
    if (saves) s.save(observer);
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
