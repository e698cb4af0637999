// ascore evaluate SAMPLES --reference REF: how near samples are to data, as one line of JSON.
#include "engine/data/points.hpp"
#include "engine/metrics/energy.hpp"
#include "engine/metrics/frechet.hpp"
#include "engine/metrics/manifold.hpp"
#include "engine/metrics/modes.hpp"
#include "engine/metrics/sliced_wasserstein.hpp"
#include "engine/metrics/twins.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/evaluation/reference.hpp"
#include "tools/options.hpp"
#include "tools/report.hpp"
#include "tools/validators.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

/// Below so many samples a Frechet distance says more of their number than of their quality.
constexpr int64_t kFewSamples = 2048;

struct Options {
  CommonOptions common;
  std::string samples, reference, beside, split;
  int64_t count = 0, neighbours = 5, manifold_count = 2000;
};

/// Samples and reference must be of one shape.
void require_alike(const SampleSet& samples, const SampleSet& reference) {
  if (samples.sample_shape() == reference.sample_shape()) return;
  throw DataError(fmt::format("{}: samples are {}, those of {} {}; give samples of one shape", samples.name(),
                              to_string(samples.sample_shape()), reference.name(),
                              to_string(reference.sample_shape())));
}

void report_overlap(Report& report, const SampleSet& samples, const SampleSet& reference, const Options& options) {
  const int64_t real = std::min(options.manifold_count, reference.count());
  const int64_t drawn = std::min(options.manifold_count, samples.count());
  const ManifoldOverlap overlap =
      manifold_overlap(reference.read(0, real), samples.read(0, drawn), samples.sample_shape().count(),
                       static_cast<int>(options.neighbours));
  report.add("precision", overlap.precision);
  report.add("recall", overlap.recall);
  report.add("density", overlap.density);
  report.add("coverage", overlap.coverage);
  report.add("neighbours", options.neighbours);
  report.add("manifold_count", std::min(real, drawn));
}

/// Against a set, beside the samples' distance, that of two halves of the set: what samples as good as it would
/// measure.
void report_images(Report& report, const SampleSet& samples, const Reference& reference, const Options& options) {
  const std::string features = pixel_features(samples.sample_shape());
  report.add("features", features);
  const FeatureStatistics drawn = pixel_statistics(samples);
  if (reference.statistics) {
    const auto& [known, known_features] = *reference.statistics;
    if (!known_features.empty() && known_features != features) {
      throw DataError(fmt::format("{}: statistics of {}, but the samples' features are {}", reference.name,
                                  known_features, features));
    }
    report.add("reference_count", known.count);
    report.add("frechet", frechet_distance(drawn, known));
    return;
  }
  require_alike(samples, *reference.samples);
  report.add("reference_count", reference.samples->count());
  report.add("frechet", frechet_distance(drawn, pixel_statistics(*reference.samples)));
  const std::vector<FeatureStatistics> halves = halves_statistics(*reference.samples);
  report.add("halves_frechet", frechet_distance(halves[0], halves[1]));
  const int64_t fewest = std::min({samples.count(), reference.samples->count(), options.manifold_count});
  if (fewest > options.neighbours) {
    report_overlap(report, samples, *reference.samples, options);
  } else if (options.manifold_count > 0 && !options.common.quiet) {
    fmt::print(stderr, "ascore: {} samples are too few for precision and recall by {} neighbours: left out\n", fewest,
               options.neighbours);
  }
}

void report_points(Report& report, const SampleSet& samples, const Reference& reference) {
  if (!reference.samples) throw DataError(fmt::format("{}: points are measured against points", reference.name));
  require_alike(samples, *reference.samples);
  const std::vector<double> drawn = samples.read_all();
  if (reference.mixture) {
    const ModeCoverage coverage = mode_coverage(drawn, mixture_of(*reference.mixture).value());
    report.add("modes", static_cast<int64_t>(coverage.modes));
    report.add("of", static_cast<int64_t>(coverage.of));
    report.add("within_3sd", coverage.within_3sd);
  }
  const std::vector<double> known = reference.samples->read(0, std::min(reference.samples->count(), samples.count()));
  const int64_t width = samples.sample_shape().count();
  report.add("energy_distance", energy_distance(drawn, known, width));
  if (width == 2) report.add("sliced_wasserstein", sliced_wasserstein(drawn, known));
}

void report_twins(Report& report, const SampleSet& samples, const Options& options) {
  const std::unique_ptr<SampleSet> others = open_samples(options.beside, options.count);
  require_alike(samples, *others);
  if (others->count() != samples.count()) {
    throw DataError(fmt::format("{}: holds {} samples, {} holds {}; draw equally many from one seed", options.beside,
                                others->count(), options.samples, samples.count()));
  }
  report.add("twins", twin_share(samples.read_all(), others->read_all(), samples.sample_shape().count()));
}

void run(const Options& options) {
  require_cpu_only(options.common, "evaluate");
  const Part part = parse_part(options.split);
  const std::unique_ptr<SampleSet> samples = open_samples(options.samples, options.count);
  const Reference reference = open_reference(options.reference, part, recipe_overrides(options.common));
  if (samples->is_image() && samples->count() < kFewSamples && !options.common.quiet) {
    fmt::print(stderr, "ascore: {} samples: distances of fewer than {} are biased; compare equal numbers only\n",
               samples->count(), kFewSamples);
  }
  Report report;
  report.add("samples", samples->count());
  report.add("reference", reference.name);
  samples->is_image() ? report_images(report, *samples, reference, options)
                      : report_points(report, *samples, reference);
  if (!options.beside.empty()) report_twins(report, *samples, options);
  fmt::print("{}\n", report.json_line());
}

}  // namespace

void add_evaluate_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand(
      "evaluate",
      "Measure samples: Frechet distance, precision, recall, density and coverage of images; modes, energy and sliced "
      "Wasserstein distance of points");
  auto options = std::make_shared<Options>();
  command
      ->add_option("samples", options->samples,
                   "folder or samples.npz of ascore sample, an array, or a folder of images")
      ->required()
      ->type_name("SAMPLES");
  command
      ->add_option("--reference", options->reference,
                   "what to compare with: a recipe (a file or a shipped name), statistics of ascore stats, or samples")
      ->required()
      ->type_name("REF");
  command->add_option("--split", options->split, "of a recipe's data: train, test or all (images: all, points: test)")
      ->type_name("PART");
  command->add_option("--count", options->count, "measure the first N samples (all)")
      ->check(whole_number(2))
      ->type_name("N");
  command->add_option("--neighbours", options->neighbours, "k of precision, recall, density and coverage (5)")
      ->check(whole_number(1, 1000))
      ->type_name("K");
  command
      ->add_option("--manifold-count", options->manifold_count,
                   "most samples and references that precision and its kin look at; 0: leave them out (2000)")
      ->check(whole_number(0))
      ->type_name("N");
  command
      ->add_option("--beside", options->beside,
                   "samples of another network from the same seed and sampler: adds the share of samples that are "
                   "nearest to their own twin there")
      ->type_name("SAMPLES");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
