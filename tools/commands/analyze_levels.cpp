// ascore analyze levels RUN --out DIR: how a trained network does at each noise level, on held-out data.
#include "engine/io/atomic_file.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/analysis/level_errors.hpp"
#include "tools/commands/analyze.hpp"
#include "tools/configs.hpp"
#include "tools/open_data.hpp"
#include "tools/output_folder.hpp"
#include "tools/progress.hpp"
#include "tools/session.hpp"
#include "tools/validators.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string model, out;
  int64_t count = 64, batch = 64;
  bool no_ema = false, overwrite = false;
};

const OutputKind& levels_output() {
  static const OutputKind kind{.what = "analysis by level",
                               .mark = "levels.csv",
                               .entries = {"levels.csv", "loss.png", "variance.png", "error.png"}};
  return kind;
}

LevelStudy study_of(const Recipe& recipe, const Options& options) {
  LevelStudy study{.noise = noise_config(recipe),
                   .target = parse_score_target(recipe.score.target),
                   .loss = parse_dsm_loss(recipe.training.loss),
                   .seed = static_cast<uint64_t>(recipe.seed),
                   .count = options.count,
                   .batch = options.batch};
  if (recipe.score.standardize && study.batch < study.count) {
    throw ConfigError(fmt::format("--batch {}: a network with standardize takes all {} samples as one batch",
                                  study.batch, study.count));
  }
  return study;
}

void run(Ctx& ctx, const Options& options) {
  const LoadedModel model = load_model(ctx, options.model, recipe_overrides(options.common), !options.no_ema);
  const LevelStudy study = study_of(model.recipe, options);
  const std::unique_ptr<Dataset> data = open_data(model.recipe);
  OutputFolder output(options.out, levels_output(), options.overwrite ? IfExists::overwrite : IfExists::refuse);
  ProgressDisplay display(options.common.quiet);
  const std::vector<LevelError> levels = level_errors(
      ctx, *model.network, *data, study, [&](int64_t done) { display.show(done, study.noise.levels, "noise levels"); });
  write_png(output.staging() / "loss.png", draw_line_plot(level_loss_plot(levels)));
  write_png(output.staging() / "variance.png", draw_line_plot(output_variance_plot(levels)));
  write_png(output.staging() / "error.png", draw_line_plot(denoised_error_plot(levels)));
  write_file_atomically(output.staging() / "levels.csv", to_csv(levels));
  output.commit();
  fmt::print("{}\n", (std::filesystem::path(options.out) / "levels.csv").string());
}

void run(const Options& options) {
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_analyze_levels(CLI::App& analyze) {
  auto* command = analyze.add_subcommand(
      "levels",
      "Loss, variance of the output and error of the denoised sample at every noise level of a run, as CSV and plots");
  auto options = std::make_shared<Options>();
  command->add_option("model", options->model, "a run folder (its latest checkpoint) or a checkpoint")
      ->required()
      ->type_name("RUN|CKPT");
  command->add_option("--out", options->out, "folder for levels.csv, loss.png, variance.png and error.png")
      ->required()
      ->type_name("DIR");
  command->add_flag("--overwrite", options->overwrite, "replace what an earlier analysis wrote there");
  command->add_option("--count", options->count, "held-out samples at every level, the same ones (64)")
      ->check(whole_number(1, int64_t{1} << 31))
      ->type_name("N");
  command->add_option("--batch", options->batch, "samples that run together (64)")
      ->check(whole_number(1, int64_t{1} << 20))
      ->type_name("N");
  command->add_flag("--no-ema", options->no_ema, "the parameters themselves instead of their moving average");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
