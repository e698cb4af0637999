// ascore analyze residual RUN --out DIR: how much noise really is in the samples of a trained network along the way.
#include "engine/io/atomic_file.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/analysis/residual_noise.hpp"
#include "tools/commands/analyze.hpp"
#include "tools/configs.hpp"
#include "tools/open_data.hpp"
#include "tools/output_folder.hpp"
#include "tools/sample_output.hpp"
#include "tools/validators.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string model, out;
  std::vector<std::string> samplers{"als", "cas"};
  std::vector<int64_t> n_sigma{1, 5};
  int64_t count = 256, batch = 256;
  bool no_ema = false, overwrite = false;
};

const OutputKind& residual_output() {
  static const OutputKind kind{
      .what = "residual analysis", .mark = "residual.csv", .entries = {"residual.csv", "residual.png", "ratio.png"}};
  return kind;
}

struct Setting {
  SamplerKind sampler;
  int n_sigma;
};

std::vector<Setting> settings_of(const Options& options) {
  std::vector<Setting> settings;
  for (const std::string& sampler : options.samplers) {
    const SamplerKind kind = parse_sampler(sampler);
    if (kind == SamplerKind::cas) {
      settings.push_back({kind, 1});
      continue;
    }
    for (const int64_t n_sigma : options.n_sigma) settings.push_back({kind, static_cast<int>(n_sigma)});
  }
  return settings;
}

/// A step size is tuned to one sampler and n_sigma: the recipe's holds for its own, and elsewhere the rule decides.
SamplingPlan plan_of(const Recipe& recipe, const Setting& setting) {
  SamplingConfig sampling = sampling_config(recipe);
  if (sampling.sampler != setting.sampler || sampling.n_sigma != setting.n_sigma) sampling.step_size.reset();
  sampling.sampler = setting.sampler;
  sampling.n_sigma = setting.n_sigma;
  sampling.noise_first = false;
  return make_plan(sampling, noise_config(recipe));
}

ResidualCurve measure(Ctx& ctx, const Options& options, const LoadedModel& model, const Dataset* data,
                      const Setting& setting) {
  const Recipe& recipe = model.recipe;
  DrawRequest request;
  request.seed = static_cast<uint64_t>(recipe.seed);
  request.count = options.count;
  request.batch = options.batch;
  request.plan = plan_of(recipe, setting);
  request.init = sampling_config(recipe).init;
  request.data = data;
  ResidualProbe probe(request.plan, mixture_of(recipe.data.name));
  request.watcher = &probe;
  ProgressingDraw(options.common.quiet, 1).draw(ctx, recipe, *model.network, request);
  return probe.curve();
}

void run(Ctx& ctx, const Options& options) {
  const LoadedModel model = load_model(ctx, options.model, recipe_overrides(options.common), !options.no_ema);
  OutputFolder output(options.out, residual_output(), options.overwrite ? IfExists::overwrite : IfExists::refuse);
  std::unique_ptr<Dataset> data;
  if (sampling_config(model.recipe).init == Start::data) data = open_data(model.recipe);
  std::vector<ResidualCurve> curves;
  for (const Setting& setting : settings_of(options)) {
    curves.push_back(measure(ctx, options, model, data.get(), setting));
  }
  write_png(output.staging() / "residual.png", draw_line_plot(residual_plot(curves)));
  write_png(output.staging() / "ratio.png", draw_line_plot(residual_ratio_plot(curves)));
  write_file_atomically(output.staging() / "residual.csv", to_csv(curves));
  output.commit();
  fmt::print("{}\n", (std::filesystem::path(options.out) / "residual.csv").string());
}

void run(const Options& options) {
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_analyze_residual(CLI::App& analyze) {
  auto* command = analyze.add_subcommand(
      "residual",
      "Noise really in the samples of a trained network after every step, beside the levels and the closed "
      "form of an exact score, as CSV and plots");
  auto options = std::make_shared<Options>();
  command->add_option("model", options->model, "a run folder (its latest checkpoint) or a checkpoint")
      ->required()
      ->type_name("RUN|CKPT");
  command->add_option("--out", options->out, "folder for residual.csv, residual.png and ratio.png")
      ->required()
      ->type_name("DIR");
  command->add_flag("--overwrite", options->overwrite, "replace what an earlier analysis wrote there");
  command->add_option("--sampler", options->samplers, "als, cas (both), all from the same seed")
      ->delimiter(',')
      ->check(CLI::IsMember({"als", "cas"}))
      ->type_name("NAME,...");
  command->add_option("--n-sigma", options->n_sigma, "steps per level of annealed Langevin sampling (1,5)")
      ->delimiter(',')
      ->check(whole_number(1, 10'000))
      ->type_name("N,...");
  command->add_option("--count", options->count, "samples per sampler (256)")
      ->check(whole_number(1, int64_t{1} << 31))
      ->type_name("N");
  command->add_option("--batch", options->batch, "samples that run together on a GPU (256)")
      ->check(whole_number(1, int64_t{1} << 20))
      ->type_name("N");
  command->add_flag("--no-ema", options->no_ema, "the parameters themselves instead of their moving average");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
