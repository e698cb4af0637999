// ascore data stats RECIPE: facts about the data of a recipe, and the noise levels that follow from them.
// ascore data import SRC --out F: a ready array (data set `array`) of what images are published as.
#include "engine/data/image_arrays.hpp"
#include "engine/data/statistics.hpp"
#include "engine/training/noise_levels.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/open_data.hpp"
#include "tools/options.hpp"
#include "tools/output_file.hpp"
#include "tools/report.hpp"
#include "tools/validators.hpp"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct StatsOptions {
  CommonOptions common;
  std::string recipe;
  bool json = false;
};

struct ImportOptions {
  std::string source, out;
  int image_size = 0, channels = 3;
  bool overwrite = false;
};

void run_stats(const StatsOptions& options) {
  require_cpu_only(options.common, "data stats");
  const Recipe recipe = load_recipe(options.recipe, recipe_overrides(options.common));
  const auto seed = static_cast<uint64_t>(recipe.seed);
  const std::unique_ptr<Dataset> data = open_data(recipe);
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

void run_import(const ImportOptions& options) {
  const std::filesystem::path out = options.out;
  if (out.extension() != ".npz")
    throw ConfigError(fmt::format("--out {}: the file's name must end in .npz", options.out));
  check_output_file("--out", out, options.overwrite);
  const ImageArrays arrays = options.image_size > 0
                                 ? import_image_files(options.source, options.image_size, options.channels)
                                 : import_images(options.source);
  write_image_arrays(out, arrays);
  const HostTensor& images = arrays.train.images;
  Report report;
  report.add("file", options.out);
  report.add("sample_shape", to_string(Shape(images.shape.dims().subspan(1))));
  report.add("dtype", name(images.dtype));
  report.add("images", images.shape[0]);
  report.add("test_images", arrays.test ? arrays.test->images.shape[0] : int64_t{0});
  report.print(/*as_json=*/false);
}

void add_stats(CLI::App& data) {
  auto* command = data.add_subcommand(
      "stats", "Facts about a recipe's data: largest_distance guides noise.sigma_begin, levels_* noise.levels");
  auto options = std::make_shared<StatsOptions>();
  command->add_option("recipe", options->recipe, "a file, or the name of a shipped recipe")
      ->required()
      ->type_name("RECIPE");
  command->add_flag("--json", options->json, "one JSON object");
  add_common_options(*command, options->common);
  command->callback([options] { run_stats(*options); });
}

void add_import(CLI::App& data) {
  auto* command = data.add_subcommand("import", "Make an array that recipes can train from (data.name = \"array\")");
  auto options = std::make_shared<ImportOptions>();
  command
      ->add_option(
          "source", options->source,
          "MNIST's or CIFAR-10's folder, cifar-10-binary.tar.gz, an idx file, .npy or .npz; with --image-size a "
          "folder or .zip of pictures")
      ->required()
      ->type_name("SRC");
  command->add_option("--out", options->out, "the file to write, .npz")->required()->type_name("F");
  command
      ->add_option("--image-size", options->image_size, "pictures: pixels of a side that they are resized and cut to")
      ->check(whole_number(1, 4096));
  command->add_option("--channels", options->channels, "pictures: 3 (RGB) or 1 (grey)")->check(CLI::IsMember({1, 3}));
  command->add_flag("--overwrite", options->overwrite, "replace the file");
  command->callback([options] { run_import(*options); });
}

}  // namespace

void add_data_command(CLI::App& program, ExitCode&) {
  auto* data = program.add_subcommand("data", "Look at data sets, or bring one in");
  data->require_subcommand(1);
  add_stats(*data);
  add_import(*data);
}

}  // namespace ascore::tools
