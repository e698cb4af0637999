#include "tools/sampling_options.hpp"

#include "kernels/core/error.hpp"
#include "tools/configs.hpp"
#include "tools/open_data.hpp"
#include "tools/presets.hpp"
#include "tools/validators.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

constexpr int64_t kMostSteps = 10'000;  // per level: as sampling.n_sigma in a recipe

}  // namespace

void add_sampling_options(CLI::App& command, SamplingOptions& options) {
  command.add_option("model", options.model, "a run folder (its latest checkpoint) or a checkpoint")
      ->required()
      ->type_name("RUN|CKPT");
  command.add_option("--out", options.out, "folder for samples.npz, grid.png and single images")
      ->required()
      ->type_name("DIR");
  command.add_flag("--overwrite", options.overwrite, "replace samples that the folder holds");
  command.add_option("--sampler", options.sampler, "cas, als, flow_euler or flow_heun (default: the recipe's)")
      ->check(CLI::IsMember({"cas", "als", "flow_euler", "flow_heun"}))
      ->type_name("NAME");
  command
      .add_option("--preset", options.preset,
                  "cas_n1, cas_n5, als_n1 or als_n5: sampler, steps per level and the published step size")
      ->check(CLI::IsMember(preset_names()))
      ->type_name("NAME");
  command.add_option("--count", options.count, fmt::format("how many samples ({})", options.count))
      ->check(whole_number(1, int64_t{1} << 31))
      ->type_name("N");
  command
      .add_option("--batch", options.batch, "samples that run together on a GPU (256); on a CPU nothing depends on it")
      ->check(whole_number(1, int64_t{1} << 20))
      ->type_name("N");
  command.add_option("--n-sigma", options.n_sigma, "cas, als: steps per noise level (default: the recipe's)")
      ->check(whole_number(1, kMostSteps))
      ->type_name("N");
  command
      .add_option("--step-size", options.step_size,
                  "cas, als: step size at the last level (default: preset, recipe or rule)")
      ->check(positive_number())
      ->type_name("EPS");
  command.add_option("--flow-steps", options.flow_steps, "flow_euler, flow_heun: levels (default: the recipe's, 18)")
      ->check(whole_number(1, kMostSteps))
      ->type_name("N");
  command.add_option("--init", options.init, "uniform, prior or data (default: the recipe's; a flow's is prior)")
      ->check(CLI::IsMember({"uniform", "prior", "data"}))
      ->type_name("NAME");
  command.add_flag("--no-ema", options.no_ema, "the parameters themselves instead of their moving average");
  add_common_options(command, options.common);
}

SamplingConfig wanted_sampling(const Recipe& recipe, const SamplingOptions& options) {
  const SamplingConfig before =
      options.preset ? with_preset(sampling_config(recipe), *options.preset, recipe) : sampling_config(recipe);
  SamplingConfig sampling = before;
  if (options.sampler) sampling.sampler = parse_sampler(*options.sampler);
  if (is_flow(sampling.sampler) && !is_flow(before.sampler)) {  // what the recipe says of annealing is not for it
    sampling.n_sigma = 1;
    sampling.init = Start::prior;
  }
  if (options.flow_steps && !is_flow(sampling.sampler)) {
    throw ConfigError(fmt::format("--flow-steps {}: sampler {} goes by the recipe's levels and --n-sigma",
                                  *options.flow_steps, name(sampling.sampler)));
  }
  if (options.flow_steps) sampling.flow_steps = static_cast<int>(*options.flow_steps);
  if (options.n_sigma) sampling.n_sigma = static_cast<int>(*options.n_sigma);
  if (options.init) sampling.init = parse_start(*options.init);
  if (sampling.sampler != before.sampler || sampling.n_sigma != before.n_sigma) sampling.step_size.reset();
  if (options.step_size) sampling.step_size = options.step_size;
  return sampling;
}

Sampling prepare_sampling(Ctx& ctx, const SamplingOptions& options) {
  Sampling sampling{.model = load_model(ctx, options.model, recipe_overrides(options.common), !options.no_ema),
                    .data = nullptr,
                    .request = {}};
  const Recipe& recipe = sampling.model.recipe;
  const SamplingConfig wanted = wanted_sampling(recipe, options);
  sampling.request.seed = static_cast<uint64_t>(recipe.seed);
  sampling.request.count = options.count;
  sampling.request.batch = options.batch;
  sampling.request.plan = make_plan(wanted, noise_config(recipe));
  sampling.request.init = wanted.init;
  if (recipe.score.target == "dae" && wanted.sampler == SamplerKind::cas) {
    throw ConfigError("--sampler cas: a network of target 'dae' cannot be sampled consistently; use --sampler als");
  }
  if (wanted.init == Start::data) {
    sampling.data = open_data(recipe);
    sampling.request.data = sampling.data.get();
  }
  return sampling;
}

}  // namespace ascore::tools
