// ascore sample RUN|CKPT --out DIR: draws samples from a trained score network.
#include "tools/commands/commands.hpp"
#include "tools/sample_output.hpp"
#include "tools/sampling_options.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

namespace fs = std::filesystem;

void run(Ctx& ctx, const SamplingOptions& options) {
  const Sampling sampling = prepare_sampling(ctx, options);
  make_samples_folder(options, [&](const fs::path& folder) {
    ProgressingDraw progress(options.common.quiet, 1);
    const LoadedModel& model = sampling.model;
    write_samples(folder, model.recipe, progress.draw(ctx, model.recipe, *model.network, sampling.request));
  });
}

void run(const SamplingOptions& options) {
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_sample_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand("sample", "Draw samples from a run or a checkpoint");
  auto options = std::make_shared<SamplingOptions>();
  add_sampling_options(*command, *options);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
