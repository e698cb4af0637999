#include "tools/profile/memory_run.hpp"

#include "engine/tensor/pool_allocator.hpp"
#include "engine/training/trainer.hpp"
#include "kernels/core/dry_run.hpp"
#include "kernels/core/library_memory.hpp"
#include "models/registry.hpp"
#include "tools/configs.hpp"
#include "tools/profile/shape_only_data.hpp"

#include <atomic>
#include <chrono>
#include <optional>
#include <utility>

namespace ascore::tools {
namespace {

using Clock = std::chrono::steady_clock;

/// Where what libraries keep stands among the modules.
constexpr const char* kLibraries = "(cpu libraries)";
/// Where what lies between the blocks of the steps' arena stands.
constexpr const char* kGaps = "(gaps in the arena)";

TrainerConfig config_of(const Recipe& recipe, const RunSettings& settings, bool traced) {
  TrainerConfig config = trainer_config(recipe);
  TrainingConfig& training = config.training;
  training.steps = settings.steps;
  training.batch_size = settings.batch;
  training.preview_every = training.held_out_every = 0;
  training.log_every = settings.steps;
  if (traced) training.cuda_graphs = false;  // a replayed step tells of no operation
  return config;
}

void add_up(MemoryRun& run, const AllocationLog& log, size_t library_bytes) {
  run.timeline = log.timeline();
  run.peak_event = log.peak(0, log.size());
  run.by_path = log.live_after(run.peak_event);
  run.library_bytes = library_bytes;
  run.gap_bytes = log.most_held();
  for (const auto& [path, bytes] : run.by_path) run.gap_bytes -= total(bytes);
  const auto workspace = static_cast<size_t>(MemoryKind::workspace);
  for (const auto& [path, bytes] : {std::pair{kLibraries, run.library_bytes}, std::pair{kGaps, run.gap_bytes}}) {
    if (bytes == 0) continue;
    run.by_path[path][workspace] += bytes;
    for (BytesByKind& live : run.timeline) live[workspace] += bytes;
  }
  for (const auto& [path, bytes] : run.by_path) {
    for (size_t kind = 0; kind < bytes.size(); ++kind) run.by_kind[kind] += bytes[kind];
  }
  run.peak_bytes = total(run.by_kind);
}

}  // namespace

MemoryRun run_steps(const Recipe& recipe, const RunSettings& settings, OpTrace* trace) {
  const bool dry = settings.data == nullptr;
  Stream stream(settings.device, {.threads = settings.threads, .schedule = dry ? kNothingRuns : 0});
  const auto pool = make_pool_allocator(settings.device, {.limit = settings.limit, .dry = dry});
  AllocationLog log(*pool);
  Ctx ctx{stream, log};
  ctx.compute = settings.precision;
  std::optional<ShapeOnlyData> zeros;
  if (dry) zeros.emplace(sample_shape(recipe), settings.batch);
  const Dataset& data = dry ? *zeros : *settings.data;

  Communicator* const ranks = dry ? nullptr : settings.ranks;  // a prediction is of this process
  TrainerConfig config = config_of(recipe, settings, trace != nullptr);
  if (ranks) config.training.batch_size *= ranks->size();

  const auto network = make_score_network(score_network_config(recipe));
  const auto critic = recipe.has_critic ? make_critic(critic_config(recipe)) : nullptr;
  MemoryRun run;
  {
    Trainer trainer(ctx, config, *network, critic.get(), data, {}, ranks);
    run.parameters = trainer.score().parameters.count();
    if (trainer.critic()) run.parameters += trainer.critic()->parameters.count();
    const std::atomic<bool> stop = false;
    Clock::time_point last = Clock::now();
    TrainerObserver observer;
    observer.progress = [&](const Progress&) {
      stream.synchronize();
      const Clock::time_point now = Clock::now();
      run.seconds_per_step = std::chrono::duration<double>(now - last).count();
      last = now;
    };
    if (trace) trace->start(stream, pool->ledger(), ranks);
    trainer.run(stop, observer);
    if (trace) trace->finish();
  }
  add_up(run, log, stream.attached<LibraryMemory>().peak);
  return run;
}

}  // namespace ascore::tools
