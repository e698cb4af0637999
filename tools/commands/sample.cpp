// ascore sample RUN|CKPT --out DIR: draws samples from a trained score network, on one process or several.
#include "tools/commands/commands.hpp"
#include "tools/rank_options.hpp"
#include "tools/ranks.hpp"
#include "tools/same_work.hpp"
#include "tools/sample_output.hpp"
#include "tools/sampling_options.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  SamplingOptions sampling;
  RankOptions ranks;
};

/// The samples of all ranks, one after the other, on rank 0; of the others nothing.
HostTensor joined(Communicator& ranks, const HostTensor& mine) {
  if (ranks.size() == 1) return mine;
  const std::string_view bytes(reinterpret_cast<const char*>(mine.bytes.data()), mine.bytes.size());
  const std::vector<std::string> parts = ranks.exchange(bytes);
  if (!ranks.is_root()) return {};
  HostTensor all = mine;  // rank 0 has drawn some, if anybody has
  for (size_t rank = 1; rank < parts.size(); ++rank) {
    const auto* const more = reinterpret_cast<const std::byte*>(parts[rank].data());
    all.bytes.insert(all.bytes.end(), more, more + parts[rank].size());
  }
  const size_t of_one = mine.bytes.size() / static_cast<size_t>(mine.shape[0]);
  std::vector<int64_t> dims(mine.shape.dims().begin(), mine.shape.dims().end());
  dims[0] = static_cast<int64_t>(all.bytes.size() / of_one);
  all.shape = Shape(std::span<const int64_t>(dims));
  return all;
}

Work work_of(const SamplingOptions& options, const Sampling& sampling) {
  const DrawRequest& request = sampling.request;
  const auto given = [](const auto& option) { return option ? fmt::format("{}", *option) : std::string("none"); };
  Work work(options.common);
  work.add(sampling.model.recipe);
  work.add("checkpoint's step", std::to_string(sampling.model.step));
  work.add("--seed", std::to_string(request.seed));
  work.add("--count", std::to_string(request.count));
  work.add("--batch", std::to_string(request.batch));
  work.add("--sampler", given(options.sampler));
  work.add("--preset", given(options.preset));
  work.add("--init", given(options.init));
  work.add("--n-sigma", given(options.n_sigma));
  work.add("--flow-steps", given(options.flow_steps));
  work.add("--step-size", given(options.step_size));
  work.add("--no-ema", options.no_ema ? "given" : "none");
  return work;
}

ExitCode run(const SamplingOptions& options, Communicator& ranks) {
  std::unique_ptr<Session> session;
  std::optional<Sampling> sampling;
  std::unique_ptr<OutputFolder> output;
  DrawnSamples drawn;
  together(ranks, [&] {
    session = std::make_unique<Session>(options.common);
    session->run([&] { sampling = prepare_sampling(session->ctx(), options); });
    if (ranks.is_root()) output = open_samples_folder(options);
  });
  require_same_work(ranks, work_of(options, *sampling));
  DrawRequest& request = sampling->request;
  request.rank = ranks.rank();
  request.ranks = ranks.size();
  together(ranks, [&] {
    session->run([&] {
      ProgressingDraw progress(options.common.quiet || !ranks.is_root(), 1);
      drawn = progress.draw(session->ctx(), sampling->model.recipe, *sampling->model.network, request);
    });
  });
  drawn = {.denoised = joined(ranks, drawn.denoised), .plain = joined(ranks, drawn.plain)};
  together(ranks, [&] {
    if (!output) return;
    write_samples(output->staging(), drawn, sampling->model, options);
    finish_samples_folder(*output);
  });
  return ExitCode::ok;
}

}  // namespace

void add_sample_command(CLI::App& program, ExitCode& result) {
  auto* command = program.add_subcommand("sample", "Draw samples from a run or a checkpoint");
  auto options = std::make_shared<Options>();
  add_sampling_options(*command, options->sampling);
  add_rank_options(*command, options->ranks);
  command->callback([options, &result] {
    result = run_joined(options->ranks, chosen_device(options->sampling.common), RankTraffic::words,
                        [&](Communicator& ranks) { return run(options->sampling, ranks); });
  });
}

}  // namespace ascore::tools
