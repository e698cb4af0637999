// ascore profile RECIPE: what training takes of memory and time, measured over a few steps or predicted from shapes.
#include "engine/io/atomic_file.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/open_data.hpp"
#include "tools/options.hpp"
#include "tools/output_file.hpp"
#include "tools/profile/byte_size.hpp"
#include "tools/profile/memory_profile.hpp"
#include "tools/profile/prediction.hpp"
#include "tools/rank_options.hpp"
#include "tools/ranks.hpp"
#include "tools/validators.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  RankOptions ranks;
  std::string recipe, recompute, json, html, png, trace, memory;
  std::optional<int64_t> batch;
  int64_t steps = 3;
  bool dry_run = false, overwrite = false;
};

void check_outputs(const Options& options) {
  using Output = std::pair<const char*, const std::string*>;
  for (const auto& [option, file] : {Output{"--json", &options.json}, Output{"--html", &options.html},
                                     Output{"--png", &options.png}, Output{"--trace", &options.trace}}) {
    if (!file->empty()) check_output_file(option, *file, options.overwrite);
  }
  if (options.dry_run && !options.trace.empty()) {
    throw ConfigError("--trace: a dry run takes no time to show; leave --dry-run or --trace away");
  }
}

/// As --device says; a dry run needs no such device.
Device device_of(const Options& options) {
  if (options.dry_run && options.common.device == "cuda") return Device::cuda;
  return chosen_device(options.common);
}

void check_data(const Recipe& recipe, const Dataset& data, int64_t batch) {
  if (batch <= data.size(Split::train)) return;
  throw ConfigError(fmt::format("a batch of {} is more than the {} training samples of {}; give a smaller --batch",
                                batch, data.size(Split::train), recipe.data.name));
}

void write_outputs(const Options& options, const MemoryProfile& profile, const OpTrace& trace) {
  if (!options.json.empty()) write_file_atomically(options.json, to_json(profile));
  if (!options.html.empty()) write_file_atomically(options.html, to_html(profile));
  if (!options.png.empty()) write_png(options.png, timeline_picture(profile.run));
  if (!options.trace.empty()) write_file_atomically(options.trace, to_chrome_trace(trace));
}

/// Every rank runs the steps; rank 0 tells, of itself.
ExitCode run(const Options& options, Communicator& ranks) {
  std::vector<std::string> overrides = recipe_overrides(options.common);
  if (!options.recompute.empty()) overrides.push_back("training.recompute=" + options.recompute);
  std::optional<Recipe> loaded;
  together(ranks, [&] {
    loaded = load_recipe(options.recipe, overrides);
    if (ranks.is_root()) check_outputs(options);
  });
  const Recipe& recipe = *loaded;
  const Device device = device_of(options);
  const int64_t size = ranks.size(), batch = options.batch.value_or(recipe.training.batch_size);
  MemoryProfile profile{.recipe = recipe.source,
                        .device = name(device),
                        .precision = options.common.precision,
                        .predicted = options.dry_run,
                        .batch = (batch + size - 1) / size,
                        .steps = options.steps,
                        .ranks = ranks.size()};
  profile.other_batch = other_batch(profile.batch);
  profile.limit = free_memory(device);
  if (!options.memory.empty()) {
    profile.limit = MemoryLimit{parse_byte_size("--memory", options.memory), false, "--memory " + options.memory};
  }

  RunSettings settings{.device = device,
                       .precision = chosen_precision(options.common, device),
                       .threads = options.common.threads,
                       .batch = profile.batch,
                       .steps = profile.steps};
  std::unique_ptr<Dataset> data;
  if (!options.dry_run) {
    together(ranks, [&] {
      data = open_data(recipe);
      check_data(recipe, *data, std::max(profile.batch, profile.other_batch) * size);
    });
    settings.data = data.get();
    settings.ranks = &ranks;
  }
  RunSettings other = settings;
  other.batch = profile.other_batch;
  OpTrace trace;
  const MemoryRun beside = run_steps(recipe, other);
  profile.run = run_steps(recipe, settings, options.trace.empty() ? nullptr : &trace);
  profile.bytes_per_image = bytes_per_image(profile.run, profile.batch, beside, profile.other_batch);
  if (!ranks.is_root()) return ExitCode::ok;
  if (profile.limit) profile.largest_batch = largest_batch(recipe, settings, profile.limit->bytes);
  write_outputs(options, profile, trace);
  fmt::print("{}", to_text(profile));
  return ExitCode::ok;
}

}  // namespace

void add_profile_command(CLI::App& program, ExitCode& result) {
  auto* command = program.add_subcommand("profile", "Memory and time of training, measured or predicted");
  auto options = std::make_shared<Options>();
  command->add_option("recipe", options->recipe, "a file, or the name of a shipped recipe")
      ->required()
      ->type_name("RECIPE");
  command->add_option("--batch", options->batch, "images per step of all ranks (default: the recipe's)")
      ->check(whole_number(1, kLargestBatch))
      ->type_name("B");
  command->add_option("--recompute", options->recompute, "what backward computes again: none, norm or block")
      ->check(CLI::IsMember({"none", "norm", "block"}))
      ->type_name("WHAT");
  command->add_option("--steps", options->steps, "training steps to run")
      ->check(whole_number(2, 100000))
      ->capture_default_str()
      ->type_name("N");
  command->add_flag("--dry-run", options->dry_run, "predict from shapes alone: no data, no GPU, nothing computed");
  command->add_option("--memory", options->memory, "look for the largest batch in this much, e.g. 24GiB")
      ->type_name("SIZE");
  command->add_option("--json", options->json, "write all figures")->type_name("FILE");
  command->add_option("--html", options->html, "write a page with the timeline")->type_name("FILE");
  command->add_option("--png", options->png, "write the timeline as a picture")->type_name("FILE");
  command->add_option("--trace", options->trace, "write a Chrome trace of operations and sums")->type_name("FILE");
  command->add_flag("--overwrite", options->overwrite, "replace files that exist");
  add_common_options(*command, options->common);
  add_rank_options(*command, options->ranks);
  command->callback([options, &result] {
    const Device device = options->dry_run ? Device::cpu : device_of(*options);
    result = run_joined(options->ranks, device, RankTraffic::tensors,
                        [&](Communicator& ranks) { return run(*options, ranks); });
  });
}

}  // namespace ascore::tools
