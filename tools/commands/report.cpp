// ascore report RUN: a run's page, from what its folder holds; --draw N adds samples by both samplers.
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/open_data.hpp"
#include "tools/run_report/run_page.hpp"
#include "tools/sample_output.hpp"
#include "tools/validators.hpp"

#include <memory>
#include <optional>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

struct Options {
  CommonOptions common;
  std::string run;
  std::optional<int64_t> draw;
  int64_t batch = 256;
};

/// The recipe's settings where they are of that sampler; else its n_sigma, and the step size by rule.
SamplingPlan plan_of(const Recipe& recipe, SamplerKind sampler) {
  SamplingConfig sampling = sampling_config(recipe);
  if (sampling.sampler != sampler) sampling.step_size.reset();
  sampling.sampler = sampler;
  return make_plan(sampling, noise_config(recipe));
}

/// Draws by both samplers from one seed, plain and denoised, into RUN/samples. A network of target dae cannot be
/// sampled consistently: it has the pictures of annealed Langevin sampling alone.
void draw_grids(Ctx& ctx, const Options& options) {
  const fs::path run = options.run;
  const LoadedModel model = load_model(ctx, run, recipe_overrides(options.common), /*averaged=*/true);
  const Recipe& recipe = model.recipe;
  DrawRequest request;
  request.seed = static_cast<uint64_t>(recipe.seed);
  request.count = *options.draw;
  request.batch = options.batch;
  request.init = sampling_config(recipe).init;
  std::unique_ptr<Dataset> data;
  if (request.init == Start::data) data = open_data(recipe);
  request.data = data.get();
  for (const SamplerKind sampler : {SamplerKind::cas, SamplerKind::als}) {
    if (sampler == SamplerKind::cas && recipe.score.target == "dae") continue;
    request.plan = plan_of(recipe, sampler);
    const DrawnSamples drawn = ProgressingDraw(options.common.quiet, 1).draw(ctx, recipe, *model.network, request);
    const auto file = [&](const char* kind) {
      return grid_file(run, model.step, fmt::format("{}-{}", name(sampler), kind));
    };
    std::error_code error;
    fs::create_directories(run / "samples", error);  // if this fails, writing does, and says why
    write_png(file("plain"), picture(recipe, drawn.plain));
    write_png(file("denoised"), picture(recipe, drawn.denoised));
  }
}

void run(const Options& options) {
  read_run(options.run);  // what is wrong with the folder is told before anything is drawn
  if (options.draw) {
    Session session(options.common);
    session.run([&] { draw_grids(session.ctx(), options); });
  }
  write_run_page(options.run);
  fmt::print("{}\n", (fs::path(options.run) / kPageFile).string());
}

}  // namespace

void add_report_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("report", "Write a run's page, report.html, anew; add samples to it");
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "a run folder")->required()->type_name("RUN");
  auto* draw = command
                   ->add_option("--draw", options->draw,
                                "draw so many samples by consistent and by annealed Langevin sampling, from one seed, "
                                "plain and denoised, and show them")
                   ->check(whole_number(1, int64_t{1} << 31))
                   ->type_name("N");
  command->add_option("--batch", options->batch, "samples that run together on a GPU (256)")
      ->check(whole_number(1, int64_t{1} << 20))
      ->type_name("N");
  add_common_options(*command, options->common);
  for (const char* of_drawing : {"--batch", "--device", "--precision", "--threads", "--seed", "--set"}) {
    command->get_option(of_drawing)->needs(draw);
  }
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
