// ascore denoise RUN|CKPT: what a trained network makes of given arrays at one noise level.
#include "engine/autograd/operations.hpp"
#include "engine/io/npy.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/output_file.hpp"
#include "tools/session.hpp"
#include "tools/validators.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string model, input, output, what = "denoised";
  double sigma = 0;
  bool no_ema = false, overwrite = false;
};

HostTensor read_input(const std::string& path, const Shape& sample) {
  HostTensor x = read_npy(path);
  bool fits = x.shape.rank() == sample.rank() + 1 && x.shape[0] > 0;
  for (int i = 0; fits && i < sample.rank(); ++i) fits = x.shape[i + 1] == sample[i];
  if (!fits || x.dtype != DType::f32) {
    throw DataError(fmt::format("{}: is {} {}; this model takes f32 [N,{}", path, name(x.dtype), to_string(x.shape),
                                to_string(sample).substr(1)));
  }
  if (!all_finite(x)) throw DataError(fmt::format("{}: holds values that are not finite", path));
  return x;
}

void run(Ctx& ctx, const Options& options) {
  const LoadedModel model = load_model(ctx, options.model, recipe_overrides(options.common), !options.no_ema);
  const Tensor x = upload_state(ctx, read_input(options.input, sample_shape(model.recipe)));
  Tensor result;
  if (options.what == "network") {
    result = model.output(ctx, x, options.sigma);
  } else if (options.what == "score") {
    result = model.score(ctx, x, options.sigma);
  } else if (model.recipe.score.target == "dae") {
    result = model.output(ctx, x, options.sigma);
  } else {
    const std::vector<double> sigmas(static_cast<size_t>(x.dim(0)), options.sigma);
    result = tweedie(ctx, x, model.output(ctx, x, options.sigma), ctx.from_host(sigmas, {x.dim(0)}, x.dtype()));
  }
  const HostTensor finished = download_state(ctx, result);
  if (!all_finite(finished)) {
    throw DivergedError(fmt::format("--sigma {}: the result is not finite; is the noise in {} of this size?",
                                    options.sigma, options.input));
  }
  write_npy(options.output, finished);
  fmt::print("{}\n", options.output);
}

void run(const Options& options) {
  check_output_file("--output", options.output, options.overwrite);
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_denoise_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("denoise", "Denoise given arrays with a run or a checkpoint");
  auto options = std::make_shared<Options>();
  command->add_option("model", options->model, "a run folder (its latest checkpoint) or a checkpoint")
      ->required()
      ->type_name("RUN|CKPT");
  command->add_option("--input", options->input, "noisy samples, f32 [N,H,W,C] or [N,D], as the network sees them")
      ->required()
      ->type_name("X.npy");
  command->add_option("--sigma", options->sigma, "standard deviation of their noise")
      ->required()
      ->check(positive_number())
      ->type_name("S");
  command->add_option("--output", options->output, "where the result goes")->required()->type_name("Y.npy");
  command->add_option("--what", options->what, "denoised, network (the raw output) or score (denoised)")
      ->check(CLI::IsMember({"denoised", "network", "score"}))
      ->type_name("NAME");
  command->add_flag("--overwrite", options->overwrite, "replace an existing output file");
  command->add_flag("--no-ema", options->no_ema, "the parameters themselves instead of their moving average");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
