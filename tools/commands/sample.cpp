// ascore sample RUN|CKPT --out DIR: draws samples from a trained score network.
#include "engine/io/npz.hpp"
#include "engine/io/png.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/drawing.hpp"
#include "tools/output_folder.hpp"
#include "tools/progress.hpp"
#include "tools/session.hpp"
#include "tools/validators.hpp"

#include <chrono>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostSteps = 10'000;  // per level: as sampling.n_sigma in a recipe

struct Options {
  CommonOptions common;
  std::string model, out;
  bool overwrite = false, no_ema = false;
  std::optional<std::string> sampler, init;
  std::optional<int64_t> n_sigma;
  std::optional<double> step_size;
  int64_t count = 64, batch = 256;
};

/// The recipe's sampling table, changed by the options. A step size is tuned to one sampler and n_sigma: with another
/// it is not taken over, and the rule decides.
SamplingConfig wanted_sampling(const Recipe& recipe, const Options& options) {
  const SamplingConfig from_recipe = sampling_config(recipe);
  SamplingConfig sampling = from_recipe;
  if (options.sampler) sampling.sampler = parse_sampler(*options.sampler);
  if (options.n_sigma) sampling.n_sigma = static_cast<int>(*options.n_sigma);
  if (options.init) sampling.init = parse_start(*options.init);
  if (sampling.sampler != from_recipe.sampler || sampling.n_sigma != from_recipe.n_sigma) sampling.step_size.reset();
  if (options.step_size) sampling.step_size = options.step_size;
  return sampling;
}

/// Sample i of u8 [N,H,W,C] as a picture.
HostTensor one_image(const HostTensor& images, int64_t i) {
  HostTensor image({images.shape[1], images.shape[2], images.shape[3]}, DType::u8);
  const size_t size = image.bytes.size();
  std::copy_n(images.bytes.begin() + static_cast<std::ptrdiff_t>(static_cast<size_t>(i) * size), size,
              image.bytes.begin());
  return image;
}

void write(const fs::path& folder, const Recipe& recipe, const DrawnSamples& drawn) {
  try {
    if (!is_point_data(recipe.data.name)) {
      fs::create_directories(folder / "images");
      for (int64_t i = 0; i < drawn.denoised.shape[0]; ++i) {
        write_png(folder / "images" / fmt::format("{:05}.png", i), one_image(drawn.denoised, i));
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw DiskError(fmt::format("{}: {}", (folder / "images").string(), error.code().message()));
  }
  write_png(folder / "grid.png", picture(recipe, drawn.denoised));
  write_png(folder / "grid_plain.png", picture(recipe, drawn.plain));
  write_npz(folder / "samples_plain.npz", {{"arr_0", drawn.plain}});
  write_npz(folder / "samples.npz", {{"arr_0", drawn.denoised}});
}

/// Draws with progress on stderr.
DrawnSamples draw(Ctx& ctx, const LoadedModel& model, const DrawRequest& request, bool quiet) {
  const auto begin = std::chrono::steady_clock::now();
  ProgressDisplay display(quiet);
  return draw_samples(ctx, model.recipe, *model.network, request, [&](int64_t done, int64_t all) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const double rate = static_cast<double>(done) / seconds;
    display.show(
        done, all,
        fmt::format("evaluations, {:.1f}/s, {} to go", rate, duration(static_cast<double>(all - done) / rate)));
  });
}

void run(Ctx& ctx, const Options& options) {
  const LoadedModel model = load_model(ctx, options.model, recipe_overrides(options.common), !options.no_ema);
  const SamplingConfig sampling = wanted_sampling(model.recipe, options);
  DrawRequest request;
  request.seed = static_cast<uint64_t>(model.recipe.seed);
  request.count = options.count;
  request.batch = options.batch;
  request.plan = make_plan(sampling, noise_config(model.recipe));
  request.init = sampling.init;
  if (model.recipe.score.target == "dae" && sampling.sampler == SamplerKind::cas) {
    throw ConfigError("--sampler cas: a network of target 'dae' cannot be sampled consistently; use --sampler als");
  }
  OutputFolder output(options.out, samples_output(), options.overwrite ? IfExists::overwrite : IfExists::refuse);
  const DrawnSamples drawn = draw(ctx, model, request, options.common.quiet);
  write(output.staging(), model.recipe, drawn);
  output.commit();
  fmt::print("{}\n", (fs::path(options.out) / "samples.npz").string());
}

void run(const Options& options) {
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_sample_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("sample", "Draw samples from a run or a checkpoint");
  auto options = std::make_shared<Options>();
  command->add_option("model", options->model, "a run folder (its latest checkpoint) or a checkpoint")
      ->required()
      ->type_name("RUN|CKPT");
  command->add_option("--out", options->out, "folder for samples.npz, grid.png and single images")
      ->required()
      ->type_name("DIR");
  command->add_flag("--overwrite", options->overwrite, "replace samples that the folder holds");
  command->add_option("--sampler", options->sampler, "cas or als (default: the recipe's)")
      ->check(CLI::IsMember({"cas", "als"}))
      ->type_name("NAME");
  command->add_option("--count", options->count, "how many samples (64)")
      ->check(whole_number(1, int64_t{1} << 31))
      ->type_name("N");
  command
      ->add_option("--batch", options->batch,
                   "samples that run together on a GPU (256); on a CPU nothing depends on it")
      ->check(whole_number(1, int64_t{1} << 20))
      ->type_name("N");
  command->add_option("--n-sigma", options->n_sigma, "steps per noise level (default: the recipe's)")
      ->check(whole_number(1, kMostSteps))
      ->type_name("N");
  command->add_option("--step-size", options->step_size, "step size at the last level (default: recipe or rule)")
      ->check(positive_number())
      ->type_name("EPS");
  command->add_option("--init", options->init, "uniform or prior (default: the recipe's)")
      ->check(CLI::IsMember({"uniform", "prior"}))
      ->type_name("NAME");
  command->add_flag("--no-ema", options->no_ema, "the parameters themselves instead of their moving average");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
