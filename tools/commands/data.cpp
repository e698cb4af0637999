// ascore data stats RECIPE: facts about the data of a recipe, and the noise levels that follow from them.
#include "engine/data/statistics.hpp"
#include "engine/training/noise_levels.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/options.hpp"
#include "tools/report.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string recipe;
  bool json = false;
};

void run(const Options& options) {
  const Recipe recipe = load_recipe(options.recipe, recipe_overrides(options.common));
  const auto seed = static_cast<uint64_t>(recipe.seed);
  const std::unique_ptr<Dataset> data = open_dataset(data_config(recipe), seed);
  const DataStatistics facts = data_statistics(*data, Split::train);
  Report report;
  report.add("name", recipe.data.name);
  report.add("sample_shape", to_string(facts.sample_shape));
  report.add("train", data->size(Split::train));
  report.add("test", data->size(Split::test));
  for (size_t c = 0; c < facts.channels.size(); ++c) {
    const std::string prefix = fmt::format("channel{}.", c);
    report.add(prefix + "min", facts.channels[c].min);
    report.add(prefix + "max", facts.channels[c].max);
    report.add(prefix + "mean", facts.channels[c].mean);
    report.add(prefix + "deviation", facts.channels[c].deviation);
  }
  constexpr int64_t kBatch = 512, kMostBatches = 100;
  const double distance =
      largest_pairwise_distance(*data, Split::train, std::min(kBatch, data->size(Split::train)), seed, kMostBatches);
  report.add("largest_distance", distance);
  for (const double overlap : {0.5, 0.99}) {
    const LevelRule rule =
        level_rule(overlap, facts.sample_shape.count(), recipe.noise.sigma_begin, recipe.noise.sigma_end);
    report.add(fmt::format("levels_at_overlap_{:g}", 100 * overlap), rule.levels);
  }
  report.print(options.json);
}

}  // namespace

void add_data_command(CLI::App& program, ExitCode&) {
  auto* data = program.add_subcommand("data", "Look at data sets");
  data->require_subcommand(1);
  auto* command = data->add_subcommand(
      "stats", "Facts about a recipe's data: largest_distance guides noise.sigma_begin, levels_* noise.levels");
  auto options = std::make_shared<Options>();
  command->add_option("recipe", options->recipe, "a file, or the name of a shipped recipe")
      ->required()
      ->type_name("RECIPE");
  command->add_flag("--json", options->json, "one JSON object");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
