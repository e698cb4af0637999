// ascore sweep RUN --out DIR: how the distance to the data depends on sampler, steps per level, step size, checkpoint.
#include "tools/evaluation/sweep.hpp"

#include "engine/io/atomic_file.hpp"
#include "engine/io/png.hpp"
#include "engine/metrics/frechet.hpp"
#include "engine/metrics/sliced_wasserstein.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/drawing.hpp"
#include "tools/evaluation/reference.hpp"
#include "tools/features.hpp"
#include "tools/open_data.hpp"
#include "tools/output_folder.hpp"
#include "tools/progress.hpp"
#include "tools/report.hpp"
#include "tools/session.hpp"
#include "tools/validators.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string run, out, step_size = "auto", checkpoints = "last", reference, split, features = "pixels";
  std::vector<std::string> samplers{"cas", "als"};
  std::vector<int64_t> n_sigma{1};
  int64_t count = 512, batch = 256;
  bool no_ema = false, overwrite = false;
};

const OutputKind& sweep_output() {
  static const OutputKind kind{.what = "sweep", .mark = "sweep.csv", .entries = {"sweep.csv", "sweep.png"}};
  return kind;
}

/// Measures what is drawn from `run`, samples of `shape`, against a reference that is read once.
class Yardstick {
 public:
  Yardstick(const Reference& reference, const Options& options, const Shape& shape) : run_(options.run) {
    const FeatureChoice choice = parse_features(options.features);
    if (shape.rank() == 3) {
      features_ = open_features(choice, options.common);
      require_enough(options.run, options.count, shape, *features_);
      warn_of_few(options.count, options.common.quiet);
      known_ = measure_reference(reference, *features_, options.run, shape);
      return;
    }
    require_no_features(choice);
    if (!reference.samples) throw DataError(fmt::format("{}: points are measured against points", reference.name));
    require_alike(options.run, shape, *reference.samples);
    points_ = reference.samples->read(0, std::min(kMostPoints, reference.samples->count()));
  }

  std::string metric() const { return features_ ? "frechet" : "sliced_wasserstein"; }
  /// What stands beside every distance.
  void describe(Report& report) const {
    if (!features_) return;
    report.add("features", known_.features);
    report.add("reference_checksum", statistics_checksum(known_.statistics));
  }

  double distance(const HostTensor& drawn) const {
    if (!features_) return sliced_wasserstein(drawn.to_doubles(), points_);
    return frechet_distance(measure(*samples_in_memory(run_, drawn), *features_).statistics, known_.statistics);
  }

 private:
  static constexpr int64_t kMostPoints = 10'000;  // they are sorted anew along every direction for every setting
  std::string run_;
  std::unique_ptr<Features> features_;  ///< null for points
  MeasuredSet known_;
  std::vector<double> points_;
};

std::vector<SweepSetting> settings_of(const Options& options, const NoiseConfig& noise) {
  std::vector<SweepSetting> settings;
  for (const std::string& sampler : options.samplers) {
    for (const int64_t n_sigma : options.n_sigma) {
      const auto more = step_sizes(options.step_size, parse_sampler(sampler), static_cast<int>(n_sigma), noise);
      settings.insert(settings.end(), more.begin(), more.end());
    }
  }
  return settings;
}

/// Draws by every setting from the same seed: what is random is the same for all.
class Sweep {
 public:
  Sweep(Ctx& ctx, const Options& options) : ctx_(ctx), options_(options), display_(options.common.quiet) {}

  std::vector<SweepResult> run() {
    const std::vector<std::filesystem::path> files = sweep_checkpoints(options_.run, options_.checkpoints);
    std::vector<SweepResult> results;
    for (const std::filesystem::path& file : files) {
      const LoadedModel model = load_model(ctx_, file, recipe_overrides(options_.common), !options_.no_ema);
      prepare(model.recipe);
      const std::vector<SweepSetting> settings = settings_of(options_, noise_config(model.recipe));
      const auto all = static_cast<int64_t>(files.size() * settings.size());
      for (const SweepSetting& setting : settings) {
        const DrawnSamples drawn = draw(model, setting);
        results.push_back({model.step, setting, false, yardstick_->distance(drawn.plain)});
        results.push_back({model.step, setting, true, yardstick_->distance(drawn.denoised)});
        display_.show(static_cast<int64_t>(results.size()) / 2, all,
                      fmt::format("settings, {} {:.4g}", yardstick_->metric(), results.back().distance));
      }
    }
    return results;
  }

  const Yardstick& yardstick() const { return *yardstick_; }
  const std::string& reference() const { return reference_; }
  double sigma_end() const { return sigma_end_; }

 private:
  void prepare(const Recipe& recipe) {
    if (yardstick_) return;
    sigma_end_ = recipe.noise.sigma_end;
    if (!options_.reference.empty()) {
      measure_against(open_reference(options_.reference, parse_part(options_.split), {}), recipe);
    } else {
      Reference data;
      data.samples = open_recipe_samples(recipe, parse_part(options_.split));
      data.name = data.samples->name();
      measure_against(data, recipe);
    }
    if (sampling_config(recipe).init == Start::data) data_ = open_data(recipe);
  }

  void measure_against(const Reference& reference, const Recipe& recipe) {
    reference_ = reference.name;
    yardstick_.emplace(reference, options_, sample_shape(recipe));
  }

  DrawnSamples draw(const LoadedModel& model, const SweepSetting& setting) {
    SamplingConfig sampling = sampling_config(model.recipe);
    sampling.sampler = setting.sampler;
    sampling.n_sigma = setting.n_sigma;
    sampling.step_size = setting.step_size;
    DrawRequest request;
    request.seed = static_cast<uint64_t>(model.recipe.seed);
    request.count = options_.count;
    request.batch = options_.batch;
    request.plan = make_plan(sampling, noise_config(model.recipe));
    request.init = sampling.init;
    request.data = data_.get();
    return draw_samples(ctx_, model.recipe, *model.network, request);
  }

  Ctx& ctx_;
  const Options& options_;
  ProgressDisplay display_;
  std::unique_ptr<Dataset> data_;
  std::optional<Yardstick> yardstick_;
  std::string reference_;
  double sigma_end_ = 0;
};

void run(Ctx& ctx, const Options& options) {
  OutputFolder output(options.out, sweep_output(), options.overwrite ? IfExists::overwrite : IfExists::refuse);
  Sweep sweep(ctx, options);
  const std::vector<SweepResult> results = sweep.run();
  const std::string metric = sweep.yardstick().metric();
  write_png(output.staging() / "sweep.png", draw_line_plot(sweep_plot(results, metric)));
  write_file_atomically(output.staging() / "sweep.csv", to_csv(results, metric, sweep.sigma_end()));
  output.commit();
  const SweepResult& least = best(results);
  Report report;
  report.add("file", (std::filesystem::path(options.out) / "sweep.csv").string());
  report.add("samples", options.count);
  report.add("checkpoint", least.checkpoint);
  report.add("sampler", name(least.setting.sampler));
  report.add("n_sigma", static_cast<int64_t>(least.setting.n_sigma));
  report.add("step_size", least.setting.step_size);
  report.add("sample", least.denoised ? "denoised" : "plain");
  report.add(metric, least.distance);
  report.add("reference", sweep.reference());
  sweep.yardstick().describe(report);
  report.add("ema", !options.no_ema);
  report.print(/*as_json=*/false);
}

void run(const Options& options) {
  Session session(options.common);
  session.run([&] { run(session.ctx(), options); });
}

}  // namespace

void add_sweep_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand(
      "sweep",
      "Distance to the data by sampler, steps per level, step size and checkpoint: CSV, plot, the best setting");
  auto options = std::make_shared<Options>();
  command->add_option("run", options->run, "a run folder")->required()->type_name("RUN");
  command->add_option("--out", options->out, "folder for sweep.csv and sweep.png")->required()->type_name("DIR");
  command->add_flag("--overwrite", options->overwrite, "replace what an earlier sweep wrote there");
  command->add_option("--sampler", options->samplers, "cas, als (both)")
      ->delimiter(',')
      ->check(CLI::IsMember({"cas", "als"}))
      ->type_name("NAME,...");
  command->add_option("--n-sigma", options->n_sigma, "steps per noise level (1)")
      ->delimiter(',')
      ->check(whole_number(1, 10'000))
      ->type_name("N,...");
  command
      ->add_option("--step-size", options->step_size,
                   "auto: eight about where the best are expected; A:B:N: N of constant ratio (auto)")
      ->type_name("SIZES");
  command->add_option("--checkpoints", options->checkpoints, "last, all, or A:B:N: the nearest to N steps (last)")
      ->type_name("WHICH");
  command->add_option("--count", options->count, "samples per setting, all from the same seed (512)")
      ->check(whole_number(2, int64_t{1} << 31))
      ->type_name("N");
  command->add_option("--batch", options->batch, "samples that run together on a GPU (256)")
      ->check(whole_number(1, int64_t{1} << 20))
      ->type_name("N");
  command->add_option("--reference", options->reference, "as for evaluate (default: the run's data)")->type_name("REF");
  add_features_option(*command, options->features);
  command->add_option("--split", options->split, "of a recipe's data: train, test or all (images: all, points: test)")
      ->type_name("PART");
  command->add_flag("--no-ema", options->no_ema, "the parameters themselves instead of their moving average");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
