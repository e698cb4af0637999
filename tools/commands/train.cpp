// ascore train RECIPE --out DIR: trains a score network, alone or against a critic, into a run folder; on one process
// or several. Or a classifier, which samples are measured by.
#include "engine/io/atomic_file.hpp"
#include "engine/io/png.hpp"
#include "engine/training/training_ranks.hpp"
#include "kernels/core/error.hpp"
#include "models/registry.hpp"
#include "samplers/sample_batch.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/drawing.hpp"
#include "tools/open_data.hpp"
#include "tools/output_folder.hpp"
#include "tools/profile/byte_size.hpp"
#include "tools/profile/prediction.hpp"
#include "tools/progress.hpp"
#include "tools/rank_options.hpp"
#include "tools/ranks.hpp"
#include "tools/run_report/training_teller.hpp"
#include "tools/same_work.hpp"
#include "tools/session.hpp"
#include "tools/signals.hpp"
#include "tools/validators.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

struct Options {
  CommonOptions common;
  RankOptions ranks;
  std::string recipe, out, memory;
  bool resume = false, overwrite = false;
  std::optional<int64_t> max_steps;
};

/// Keys in which a resumed run may differ: how long it trains, what it reports, and the learning rates, which a
/// diverged run has to lower.
bool may_differ(const std::string& key) {
  static constexpr const char* kKeys[] = {"data.path",
                                          "score.optimizer.lr",
                                          "critic.optimizer.lr",
                                          "classifier.lr",
                                          "training.steps",
                                          "training.log_every",
                                          "training.checkpoint_every",
                                          "training.keep_checkpoints",
                                          "training.preview_every",
                                          "training.held_out_every",
                                          "training.held_out_samples",
                                          "training.recompute",
                                          "training.check_ranks_every",
                                          "training.cuda_graphs"};
  return key.starts_with("sampling.") || std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

void require_same_run(const Recipe& recipe, const Recipe& before, const fs::path& folder) {
  for (const std::string& key : differing_keys(recipe, before)) {
    if (may_differ(key)) continue;
    throw ConfigError(
        fmt::format("{}: {} differs from the recipe of the run in {}; resume with the same, train into another "
                    "folder, or begin anew with --overwrite",
                    recipe.source, key, folder.string()));
  }
}

/// A picture of what the network draws now, into RUN/samples. Its randomness is the sampler's, not the training's.
HostTensor write_preview(Ctx& ctx, const Recipe& recipe, const ScoreNetwork& network, const Dataset& data,
                         const fs::path& run, int64_t step) {
  const bool points = is_point_data(recipe.data.name);
  DrawRequest request;
  request.seed = static_cast<uint64_t>(recipe.seed);
  request.count = request.batch = points ? 1024 : std::max<int64_t>(16, tile_size(sample_shape(recipe)));
  const SamplingConfig sampling = sampling_config(recipe);
  request.plan = make_plan(sampling, noise_config(recipe));
  request.init = sampling.init;
  request.data = &data;
  const DrawnSamples drawn = draw_samples(ctx, recipe, network, request);
  fs::create_directories(run / "samples");
  HostTensor preview = picture(recipe, drawn.denoised);
  write_png(run / "samples" / fmt::format("step-{:06}.png", step), preview);
  return preview;
}

void show(ProgressDisplay& display, const Progress& progress) {
  std::string words = fmt::format("loss {:.4g}", progress.loss);
  if (progress.critic != 0) words += fmt::format(", critic {:.4g}", progress.critic);
  if (progress.held_out) words += fmt::format(", held out {:.4g}", progress.held_out->mean);
  if (progress.held_out && progress.held_out->accuracy) {
    words += fmt::format(", accuracy {:.4g}", *progress.held_out->accuracy);
  }
  words += fmt::format(", {:.0f} samples/s, {} to go", progress.samples_per_second, duration(progress.eta_seconds));
  display.show(progress.step, progress.steps, words);
}

constexpr const char* kRecipeFile = "recipe.toml";

void write_recipe(const fs::path& folder, const Recipe& recipe) {
  write_file_atomically(folder / kRecipeFile,
                        "# Every key of this run's recipe; written by ascore train.\n" + to_toml(recipe));
}

/// The recipe that is asked for; on resuming, the run's own unless another is given.
Recipe wanted_recipe(const Options& options) {
  const std::vector<std::string> overrides = recipe_overrides(options.common);
  if (!options.recipe.empty()) return load_recipe(options.recipe, overrides);
  if (!options.resume) throw ConfigError("RECIPE is missing: a path or a shipped name");
  const fs::path saved = fs::path(options.out) / kRecipeFile;
  if (!fs::is_regular_file(saved)) {
    throw DataError(
        fmt::format("--out {}: holds no run to resume (no {}); give a RECIPE to begin one", options.out, kRecipeFile));
  }
  return load_recipe(saved.string(), overrides);
}

/// The run's last checkpoint. If it is damaged, the error says from which one the run can go on.
Checkpoint read_last(const fs::path& file) {
  try {
    return read_checkpoint(file);
  } catch (const DataError& error) {
    const auto before = checkpoint_before(file);
    if (!before) throw;
    throw DataError(fmt::format("{}; to go on from the one before it, write {} into {}", error.what(),
                                before->filename().string(), (file.parent_path() / "latest").string()));
  }
}

/// Puts the run's state into `trainer`, if the run has a checkpoint. Changes no file.
void resume(Trainer& trainer, const Recipe& recipe, const fs::path& folder, int threads, bool speaks) {
  require_same_run(recipe, load_recipe((folder / kRecipeFile).string()), folder);
  const auto file = latest_checkpoint(folder);
  if (!file) return;
  const Checkpoint checkpoint = read_last(*file);
  require_same_run(recipe, parse_recipe(checkpoint.recipe, fmt::format("recipe in {}", file->string())), folder);
  trainer.resume(checkpoint);
  if (checkpoint.threads != threads && speaks) {
    fmt::print(stderr, "ascore: this run had {} threads, now {}: its last bits may come out differently\n",
               checkpoint.threads, threads);
  }
}

/// Recipe and first checkpoint appear in the folder together, in the place of what --overwrite replaces. `output` is
/// rank 0's.
void begin(Trainer& trainer, const Recipe& recipe, OutputFolder* output) {
  const Checkpoint first = trainer.checkpoint();
  if (output) {
    write_recipe(output->staging(), recipe);
    save_checkpoint(output->staging(), first);
    output->commit();
  }
  trainer.resume(first);  // it is on disk: the trainer need not write it again
}

/// Labels of other classes than the recipe's would be found as a loss that is not finite, at some later step.
void require_known_classes(const Recipe& recipe, const Dataset& data) {
  for (const Split split : {Split::train, Split::test}) {
    for (int64_t i = 0; i < data.size(split); ++i) {
      const int64_t label = data.label(split, i);
      if (label >= 0 && label < recipe.classifier.classes) continue;
      throw DataError(fmt::format("{}: {} sample {} is of class {}; classifier.classes = {} knows 0 to {}",
                                  recipe.data.name, name(split), i, label, recipe.classifier.classes,
                                  recipe.classifier.classes - 1));
    }
  }
}

/// Trains to the end or to a signal, with progress on stderr; `saved` is called after every checkpoint. `network`: of
/// previews; null where a classifier learns.
TrainingEnd train(Trainer& trainer, const Recipe& recipe, const ScoreNetwork* network, const Dataset& data,
                  const Options& options, Communicator& ranks, const std::function<void()>& saved,
                  const std::atomic<bool>& stop) {
  ProgressDisplay display(options.common.quiet || !ranks.is_root());
  TrainerObserver observer;
  observer.progress = [&](const Progress& progress) { show(display, progress); };
  const auto preview = [&](Ctx& inference, int64_t step) {
    try {
      trainer.show_picture("preview", write_preview(inference, recipe, *network, data, options.out, step));
    } catch (const DivergedError& error) {  // of the sampler: the training itself is sound, and goes on
      fmt::print(stderr, "ascore: step {}: no preview: {}\n", step, error.what());
    }
  };
  if (network) observer.preview = preview;
  observer.saved = [&](const fs::path&) { saved(); };
  if (ranks.size() == 1) return trainer.run(stop, observer);
  try {
    return trainer.run(stop, observer);
  } catch (const DivergedError& error) {  // every rank has found the same
    throw agreed(ranks, error);
  } catch (const RanksDifferError& error) {
    throw agreed(ranks, error);
  }
}

/// Calls work(saved), which trains, and lets rank 0 tell in the run's folder how it fares.
template <class Work>
TrainingEnd told_training(Ctx& ctx, const Trainer& trainer, const TrainerConfig& config, Communicator& ranks,
                          const fs::path& folder, Work work) {
  if (!ranks.is_root()) return work([] {});
  TrainingTeller teller(folder, {.state = {},
                                 .message = {},
                                 .step = trainer.step(),
                                 .steps = config.training.steps,
                                 .device = name(ctx.stream.device()),
                                 .precision = name(ctx.compute),
                                 .threads = ctx.stream.threads(),
                                 .ranks = ranks.size()});
  const auto peak = [&] { return ctx.allocator.ledger().total().peak; };
  try {
    const TrainingEnd end = work([&] {
      if (trainer.step() < config.training.steps) teller.underway(trainer.step(), peak());  // the end tells of itself
    });
    teller.ended(end == TrainingEnd::stopped ? "stopped" : "finished", trainer.step(), peak());
    return end;
  } catch (const std::exception& error) {
    teller.failed(error, trainer.step(), peak());
    throw;
  }
}

ExitCode run(Ctx& ctx, const Recipe& recipe, const Options& options, Communicator& ranks,
             const std::atomic<bool>& stop) {
  TrainerConfig config = trainer_config(recipe);
  if (options.max_steps) config.training.steps = std::min(config.training.steps, *options.max_steps);
  std::unique_ptr<Dataset> data;
  std::unique_ptr<ScoreNetwork> network;
  std::unique_ptr<Critic> critic;
  std::unique_ptr<Classifier> classifier;
  std::optional<Trainer> trainer;
  std::unique_ptr<OutputFolder> output;  // rank 0's
  const fs::path folder = options.out;
  together(ranks, [&] {
    data = open_data(recipe);
    if (recipe.has_classifier) {
      if (ranks.size() > 1) throw ConfigError(fmt::format("{}: classifiers train on one process", recipe.source));
      require_known_classes(recipe, *data);
      classifier = std::make_unique<Classifier>(classifier_config(recipe));
    } else {
      network = make_score_network(score_network_config(recipe));
    }
    if (recipe.has_critic) critic = make_critic(critic_config(recipe));
    if (config.training.batch_size > data->size(Split::train)) {
      throw ConfigError(fmt::format("{}: training.batch_size {} is more than the {} training samples of {}",
                                    recipe.source, config.training.batch_size, data->size(Split::train),
                                    recipe.data.name));
    }
    if (classifier) {
      trainer.emplace(ctx, config, *classifier, *data, folder);
    } else {
      trainer.emplace(ctx, config, *network, critic.get(), *data, folder, &ranks);
    }
    // Only now, when everything that was asked for can be had, is anything written.
    if (!ranks.is_root()) return;
    output = std::make_unique<OutputFolder>(folder, run_output(),
                                            options.resume      ? IfExists::keep
                                            : options.overwrite ? IfExists::overwrite
                                                                : IfExists::refuse);
  });
  bool resumes = false;
  together(ranks, [&] {
    resumes = options.resume && fs::is_regular_file(folder / kRecipeFile);
    if (resumes) resume(*trainer, recipe, folder, ctx.stream.threads(), ranks.is_root());
  });
  together(ranks, [&] {
    if (!resumes) return begin(*trainer, recipe, output.get());
    if (!ranks.is_root()) return;
    for (const char* part : {"", "checkpoints", "samples"}) remove_partial_files(folder / part);
    write_recipe(folder, recipe);
  });
  const TrainingEnd end = told_training(ctx, *trainer, config, ranks, folder, [&](const auto& saved) {
    return train(*trainer, recipe, network.get(), *data, options, ranks, saved, stop);
  });
  if (end == TrainingEnd::stopped) {
    if (ranks.is_root()) {
      fmt::print(stderr, "ascore: stopped at step {} of {}, checkpoint written; go on with --resume\n", trainer->step(),
                 config.training.steps);
    }
    return ExitCode::interrupted;
  }
  if (ranks.is_root()) fmt::print("{}\n", checkpoint_file(folder, trainer->step()).string());
  return ExitCode::ok;
}

size_t pool_limit(const Options& options) {
  return options.memory.empty() ? PoolOptions{}.limit : parse_byte_size("--memory", options.memory);
}

/// What there is before training takes any of it.
std::optional<MemoryLimit> memory_limit(const Options& options, Device device) {
  if (options.memory.empty()) return free_memory(device);
  return MemoryLimit{pool_limit(options), false, "--memory " + options.memory};
}

Work work_of(const Options& options, const Recipe& recipe) {
  Work work(options.common);
  work.add(recipe);
  work.add("--max-steps", options.max_steps ? std::to_string(*options.max_steps) : "none");
  work.add("--resume", options.resume ? "given" : "none");
  return work;
}

ExitCode run(const Options& options, Communicator& ranks) {
  const std::atomic<bool>& stop = stop_on_signals(ranks.is_root());
  std::optional<Recipe> recipe;
  std::optional<MemoryLimit> limit;
  std::unique_ptr<Session> session;
  together(ranks, [&] {
    if (options.resume && options.overwrite) throw ConfigError("--resume and --overwrite: give one of them");
    if (options.resume && ranks.is_root()) OutputFolder::recover(options.out, run_output());
  });
  together(ranks, [&] {
    recipe = wanted_recipe(options);
    if (!recipe->has_classifier) {  // a step size that cannot work is found now, not at the end
      make_plan(sampling_config(*recipe), noise_config(*recipe));
    }
    limit = memory_limit(options, chosen_device(options.common));
    session = std::make_unique<Session>(options.common, PoolOptions{.limit = pool_limit(options)});
  });
  require_same_work(ranks, work_of(options, *recipe));
  ExitCode result = ExitCode::failed;
  try {
    session->run([&] { result = run(session->ctx(), *recipe, options, ranks, stop); });
  } catch (const OutOfMemoryError& error) {
    if (!limit || ranks.size() > 1 || recipe->has_classifier) throw;
    session.reset();  // the advice may need what it holds
    const RunSettings settings{.device = chosen_device(options.common),
                               .precision = chosen_precision(options.common, chosen_device(options.common)),
                               .threads = options.common.threads,
                               .batch = recipe->training.batch_size};
    throw OutOfMemoryError(fmt::format("{}; {}", error.what(), memory_advice(*recipe, settings, *limit)));
  }
  return result;
}

}  // namespace

void add_train_command(CLI::App& program, ExitCode& result) {
  auto* command = program.add_subcommand("train", "Train a score network, alone or against a critic, or a classifier");
  auto options = std::make_shared<Options>();
  command->add_option("recipe", options->recipe, "a file, or the name of a shipped recipe; --resume needs none")
      ->type_name("RECIPE");
  command->add_option("--out", options->out, "the run's folder")->required()->type_name("DIR");
  command->add_flag("--resume", options->resume, "go on from the folder's latest checkpoint");
  command->add_flag("--overwrite", options->overwrite, "replace a run that the folder holds");
  command->add_option("--max-steps", options->max_steps, "stop after this step (counted from the run's beginning)")
      ->check(whole_number(0))
      ->type_name("N");
  command->add_option("--memory", options->memory, "take at most this much memory for tensors, e.g. 8GiB")
      ->type_name("SIZE");
  add_common_options(*command, options->common);
  add_rank_options(*command, options->ranks);
  command->callback([options, &result] {
    result = run_joined(options->ranks, chosen_device(options->common), RankTraffic::tensors,
                        [&](Communicator& ranks) { return run(*options, ranks); });
  });
}

}  // namespace ascore::tools
