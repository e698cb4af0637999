// ascore stats REF --out F.npz: mean and covariance of a data set's features, as other tools read them.
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/evaluation/reference.hpp"
#include "tools/features.hpp"
#include "tools/options.hpp"
#include "tools/output_file.hpp"
#include "tools/report.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string data, out, split, features = "pixels";
  bool overwrite = false;
};

void run(const Options& options) {
  const FeatureChoice choice = parse_features(options.features);
  require_measuring(choice, options.common, "stats");
  const std::filesystem::path out = options.out;
  if (out.extension() != ".npz") {
    throw ConfigError(fmt::format("--out {}: the file's name must end in .npz", options.out));
  }
  check_output_file("--out", out, options.overwrite);
  const Reference reference = open_reference(options.data, parse_part(options.split), recipe_overrides(options.common));
  if (!reference.samples) throw DataError(fmt::format("{}: holds statistics already", options.data));
  if (!reference.samples->is_image()) require_no_features(choice);
  const MeasuredSet measured = measure(*reference.samples, *open_features(choice, options.common));
  write_statistics(out, measured.statistics, measured.features);
  Report report;
  report.add("file", options.out);
  report.add("data", reference.name);
  report.add("count", measured.statistics.count);
  report.add("features", measured.features);
  report.add("checksum", statistics_checksum(measured.statistics));
  report.print(/*as_json=*/false);
}

}  // namespace

void add_stats_command(CLI::App& program, ExitCode&) {
  auto* command =
      program.add_subcommand("stats", "Write mean and covariance of data, to measure samples against (mu, sigma)");
  auto options = std::make_shared<Options>();
  command->add_option("data", options->data, "a recipe (a file or a shipped name), an array, or a folder of images")
      ->required()
      ->type_name("DATA");
  command->add_option("--out", options->out, "the .npz to write")->required()->type_name("F");
  add_features_option(*command, options->features);
  command->add_option("--split", options->split, "of a recipe's data: train, test or all (images: all, points: test)")
      ->type_name("PART");
  command->add_flag("--overwrite", options->overwrite, "replace the file");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
