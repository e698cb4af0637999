// ascore inpaint RUN|CKPT --reference R --mask M --out DIR: samples of which a part is known.
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/known_region.hpp"
#include "tools/sample_output.hpp"
#include "tools/sampling_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

struct Options : SamplingOptions {
  std::string reference, mask;
};

void run(Ctx& ctx, const Options& options) {
  Sampling sampling = prepare_sampling(ctx, options);
  if (is_flow(sampling.request.plan.sampler)) {
    throw ConfigError(fmt::format("sampler {}: cannot inpaint; use --sampler cas or --sampler als",
                                  name(sampling.request.plan.sampler)));
  }
  const LoadedModel& model = sampling.model;
  const KnownRegion known = read_known_region(options.reference, options.mask, model.recipe);
  sampling.request.known = &known;
  make_samples_folder(options, [&](const fs::path& folder) {
    ProgressingDraw progress(options.common.quiet, 1);
    write_samples(folder, progress.draw(ctx, model.recipe, *model.network, sampling.request), model, options);
  });
}

void run(const Options& options) {
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_inpaint_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("inpaint", "Draw samples of which a part is known");
  auto options = std::make_shared<Options>();
  command
      ->add_option("--reference", options->reference,
                   "what is known: .png, .npy or .npz (arr_0), one sample or several, which are taken in turn")
      ->required()
      ->type_name("R");
  command->add_option("--mask", options->mask, "which part is: .png (white: known) or .npy (1: known), of their size")
      ->required()
      ->type_name("M");
  add_sampling_options(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
