// ascore analyze schedule --out DIR: how much noise is in the sample along the way of each sampler.
#include "engine/io/atomic_file.hpp"
#include "engine/io/png.hpp"
#include "tools/analysis/schedule_figure.hpp"
#include "tools/commands/analyze.hpp"
#include "tools/output_folder.hpp"
#include "tools/validators.hpp"

#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct ScheduleOptions {
  ScheduleStudy study;
  std::string out;
  bool overwrite = false;
};

const OutputKind& schedule_output() {
  static const OutputKind kind{.what = "schedule analysis",
                               .mark = "schedule.csv",
                               .entries = {"schedule.csv", "schedule.png", "difference.png"}};
  return kind;
}

void run_schedule(const ScheduleOptions& options) {
  const std::vector<NoiseCurve> curves = noise_curves(options.study);
  OutputFolder output(options.out, schedule_output(), options.overwrite ? IfExists::overwrite : IfExists::refuse);
  write_png(output.staging() / "schedule.png", draw_line_plot(deviation_plot(options.study, curves)));
  write_png(output.staging() / "difference.png", draw_line_plot(difference_plot(options.study, curves)));
  write_file_atomically(output.staging() / "schedule.csv", to_csv(curves));
  output.commit();
  fmt::print("{}\n", (std::filesystem::path(options.out) / "schedule.csv").string());
}

}  // namespace

void add_analyze_schedule(CLI::App& analyze) {
  auto* command = analyze.add_subcommand(
      "schedule",
      "Noise in the sample after every step, if the score is exact: figure 1 of the paper, as CSV and plots");
  auto options = std::make_shared<ScheduleOptions>();
  ScheduleStudy& study = options->study;
  study.noise = {.sigma_begin = 50, .sigma_end = 0.01, .levels = 232, .spacing = Spacing::geometric};
  command->add_option("--levels", study.noise.levels, "noise levels (232)")
      ->check(whole_number(2, 1'000'000))
      ->type_name("N");
  command->add_option("--sigma-begin", study.noise.sigma_begin, "the largest (50)")
      ->check(positive_number())
      ->type_name("S");
  command->add_option("--sigma-end", study.noise.sigma_end, "the smallest (0.01)")
      ->check(positive_number())
      ->type_name("S");
  command->add_option("--eta-als", study.eta_als, "step size of annealed Langevin sampling over sigma_end^2 (0.02)")
      ->check(positive_number())
      ->type_name("E");
  command->add_option("--eta-cas", study.eta_cas, "step size of consistent sampling over sigma_end^2 (0.2)")
      ->check(positive_number())
      ->type_name("E");
  command->add_option("--n-sigma", study.n_sigma, "steps per level of annealed Langevin sampling (1,2,5,20)")
      ->delimiter(',')
      ->check(whole_number(1, 10'000))
      ->type_name("N,...");
  command->add_option("--out", options->out, "folder for schedule.csv, schedule.png and difference.png")
      ->required()
      ->type_name("DIR");
  command->add_flag("--overwrite", options->overwrite, "replace what an earlier analysis wrote there");
  command->callback([options] { run_schedule(*options); });
}

}  // namespace ascore::tools
