// ascore train RECIPE --out DIR: trains a score network, alone or against a critic, into a run folder.
#include "engine/io/atomic_file.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "models/registry.hpp"
#include "samplers/sample_batch.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/drawing.hpp"
#include "tools/output_folder.hpp"
#include "tools/progress.hpp"
#include "tools/session.hpp"
#include "tools/signals.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

struct Options {
  CommonOptions common;
  std::string recipe, out;
  bool resume = false, overwrite = false;
  std::optional<int64_t> max_steps;
};

/// Keys in which a resumed run may differ: how long it trains, what it reports, and the learning rates, which a
/// diverged run has to lower.
bool may_differ(const std::string& key) {
  static constexpr const char* kKeys[] = {"data.path",
                                          "score.optimizer.lr",
                                          "critic.optimizer.lr",
                                          "training.steps",
                                          "training.log_every",
                                          "training.checkpoint_every",
                                          "training.preview_every",
                                          "training.held_out_every",
                                          "training.held_out_samples"};
  return key.starts_with("sampling.") || std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

void require_same_run(const Recipe& recipe, const fs::path& saved) {
  const Recipe before = load_recipe(saved.string());
  for (const std::string& key : differing_keys(recipe, before)) {
    if (may_differ(key)) continue;
    throw ConfigError(
        fmt::format("{}: {} differs from the recipe of the run in {}; resume with the same, or train "
                    "into another folder",
                    recipe.source, key, saved.parent_path().string()));
  }
}

/// A picture of what the network draws now, into RUN/samples. Its randomness is the sampler's, not the training's.
void write_preview(Ctx& ctx, const Recipe& recipe, const ScoreNetwork& network, const fs::path& run, int64_t step) {
  const bool points = is_point_data(recipe.data.name);
  DrawRequest request;
  request.seed = static_cast<uint64_t>(recipe.seed);
  request.count = request.batch = points ? 1024 : std::max<int64_t>(16, tile_size(sample_shape(recipe)));
  const SamplingConfig sampling = sampling_config(recipe);
  request.plan = make_plan(sampling, noise_config(recipe));
  request.init = sampling.init;
  const DrawnSamples drawn = draw_samples(ctx, recipe, network, request);
  fs::create_directories(run / "samples");
  write_png(run / "samples" / fmt::format("step-{:06}.png", step), picture(recipe, drawn.denoised));
}

void show(ProgressDisplay& display, const Progress& progress) {
  std::string words = fmt::format("loss {:.4g}", progress.loss);
  if (progress.critic != 0) words += fmt::format(", critic {:.4g}", progress.critic);
  if (progress.held_out) words += fmt::format(", held out {:.4g}", *progress.held_out);
  words += fmt::format(", {:.0f} samples/s, {} to go", progress.samples_per_second, duration(progress.eta_seconds));
  display.show(progress.step, progress.steps, words);
}

ExitCode run(const Options& options) {
  const std::atomic<bool>& stop = stop_on_signals();
  if (options.resume && options.overwrite) throw ConfigError("--resume and --overwrite: give one of them");
  const fs::path folder = options.out, saved = folder / "recipe.toml";
  if (options.recipe.empty() && !options.resume) throw ConfigError("RECIPE is missing: a path or a shipped name");
  const Recipe recipe =
      load_recipe(options.recipe.empty() ? saved.string() : options.recipe, recipe_overrides(options.common));
  make_plan(sampling_config(recipe),
            noise_config(recipe));  // a step size that cannot work is found now, not at the end
  Session session(options.common);
  Ctx& ctx = session.ctx();

  TrainerConfig config = trainer_config(recipe);
  if (options.max_steps) config.training.steps = std::min(config.training.steps, *options.max_steps);
  const std::unique_ptr<Dataset> data = open_dataset(data_config(recipe), config.seed);
  const std::unique_ptr<ScoreNetwork> network = make_score_network(score_network_config(recipe));
  const std::unique_ptr<Critic> critic = recipe.has_critic ? make_critic(critic_config(recipe)) : nullptr;

  if (config.training.batch_size > data->size(Split::train)) {
    throw ConfigError(fmt::format("{}: training.batch_size {} is more than the {} training samples of {}",
                                  recipe.source, config.training.batch_size, data->size(Split::train),
                                  recipe.data.name));
  }
  Trainer trainer(ctx, config, *network, critic.get(), *data, folder);

  // Only now, when everything that was asked for can be had, is anything written.
  const bool existing = fs::is_regular_file(saved);
  if (options.resume && existing) require_same_run(recipe, saved);
  prepare_folder(folder, run_output(),
                 options.resume      ? IfExists::keep
                 : options.overwrite ? IfExists::overwrite
                                     : IfExists::refuse);
  write_file_atomically(saved, "# Every key of this run's recipe; written by ascore train.\n" + to_toml(recipe));

  if (options.resume) {
    if (const auto file = latest_checkpoint(folder)) {
      const Checkpoint checkpoint = read_checkpoint(*file);
      if (checkpoint.threads != ctx.stream.threads()) {
        fmt::print(stderr, "ascore: this run had {} threads, now {}: its last bits may come out differently\n",
                   checkpoint.threads, ctx.stream.threads());
      }
      trainer.resume(checkpoint);
    }
  }
  TrainingEnd end;
  double loss = 0;
  {
    ProgressDisplay display(options.common.quiet);
    TrainerObserver observer;
    observer.progress = [&](const Progress& progress) {
      loss = progress.loss;
      show(display, progress);
    };
    observer.preview = [&](Ctx& inference, int64_t step) { write_preview(inference, recipe, *network, folder, step); };
    end = trainer.run(stop, observer);
  }
  if (end == TrainingEnd::stopped) {
    fmt::print(stderr, "ascore: stopped at step {} of {}, checkpoint written; go on with --resume\n", trainer.step(),
               config.training.steps);
    return ExitCode::interrupted;
  }
  fmt::print("{}\n", checkpoint_file(folder, trainer.step()).string());
  return ExitCode::ok;
}

}  // namespace

void add_train_command(CLI::App& program, ExitCode& result) {
  auto* command = program.add_subcommand("train", "Train a score network, alone or against a critic");
  auto options = std::make_shared<Options>();
  command->add_option("recipe", options->recipe, "a file, or the name of a shipped recipe; --resume needs none")
      ->type_name("RECIPE");
  command->add_option("--out", options->out, "the run's folder")->required()->type_name("DIR");
  command->add_flag("--resume", options->resume, "go on from the folder's latest checkpoint");
  command->add_flag("--overwrite", options->overwrite, "replace a run that the folder holds");
  command->add_option("--max-steps", options->max_steps, "stop after this step (counted from the run's beginning)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  add_common_options(*command, options->common);
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace ascore::tools
