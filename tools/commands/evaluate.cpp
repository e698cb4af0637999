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
#include "tools/evaluation/class_report.hpp"
#include "tools/evaluation/neighbours_picture.hpp"
#include "tools/evaluation/reference.hpp"
#include "tools/evaluation/sample_facts.hpp"
#include "tools/features.hpp"
#include "tools/options.hpp"
#include "tools/output_file.hpp"
#include "tools/report.hpp"
#include "tools/validators.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string samples, reference, beside, split, features = "pixels";
  std::string neighbours_picture;
  int64_t count = 0, neighbours = 5, manifold_count = 2000;
  bool overwrite = false;
};

void report_overlap(Report& report, const MeasuredSet& samples, const MeasuredSet& reference, const Options& options) {
  const int64_t width = samples.statistics.dimensions();
  const auto rows = [&](const MeasuredSet& set) { return static_cast<int64_t>(set.first.size()) / width; };
  const ManifoldOverlap overlap =
      manifold_overlap(reference.first, samples.first, width, static_cast<int>(options.neighbours));
  report.add("precision", overlap.precision);
  report.add("recall", overlap.recall);
  report.add("density", overlap.density);
  report.add("coverage", overlap.coverage);
  report.add("neighbours", options.neighbours);
  report.add("manifold_count", std::min(rows(samples), rows(reference)));
}

/// Against a set, beside the samples' distance, that of two halves of the set: what samples as good as it would
/// measure.
void report_images(Report& report, const SampleSet& samples, const Reference& reference, const Features& features,
                   const Options& options) {
  report.add("features", features.name(samples.sample_shape()));
  require_enough(samples.name(), samples.count(), samples.sample_shape(),
                 features);  // before the reference is looked at
  warn_of_few(samples.count(), options.common.quiet);
  const MeasureOptions wanted{.halves = false, .keep = reference.samples ? options.manifold_count : 0, .logits = true};
  const MeasuredSet known = measure_reference(reference, features, samples.name(), samples.sample_shape(),
                                              {.halves = true, .keep = options.manifold_count});
  const MeasuredSet drawn = measure(samples, features, wanted);
  report.add("reference_count", known.statistics.count);
  report.add("reference_checksum", statistics_checksum(known.statistics));
  report.add("frechet", frechet_distance(drawn.statistics, known.statistics));
  report_classes(report, features, samples.sample_shape(), drawn.logits);
  if (!reference.samples) return;
  report.add("halves_frechet", frechet_distance(known.halves[0], known.halves[1]));
  const int64_t fewest = std::min({samples.count(), reference.samples->count(), options.manifold_count});
  if (fewest > options.neighbours) {
    report_overlap(report, drawn, known, options);
  } else if (options.manifold_count > 0 && !options.common.quiet) {
    fmt::print(stderr, "ascore: {} samples are too few for precision and recall by {} neighbours: left out\n", fewest,
               options.neighbours);
  }
}

void report_points(Report& report, const SampleSet& samples, const Reference& reference) {
  if (!reference.samples) throw DataError(fmt::format("{}: points are measured against points", reference.name));
  require_alike(samples.name(), samples.sample_shape(), *reference.samples);
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

void show_neighbours(Report& report, const SampleSet& samples, const Reference& reference, const Features& features,
                     const Options& options) {
  write_neighbours(options.neighbours_picture, samples, *reference.samples, features,
                   static_cast<int>(options.neighbours));
  report.add("neighbours_picture", options.neighbours_picture);
}

/// Before anything is measured.
void check_picture(const Options& options, const SampleSet& samples, const Reference& reference) {
  if (options.neighbours_picture.empty()) return;
  const std::filesystem::path png = options.neighbours_picture;
  if (png.extension() != ".png") {
    throw ConfigError(fmt::format("--neighbours-picture {}: the file's name must end in .png", png.string()));
  }
  for (const char* ending : {".png", ".csv"}) {
    check_output_file("--neighbours-picture", std::filesystem::path(png).replace_extension(ending), options.overwrite);
  }
  if (!samples.is_image()) throw ConfigError("--neighbours-picture: points are no pictures");
  if (!reference.samples) {
    throw ConfigError(fmt::format("--neighbours-picture: {} holds statistics and no images", reference.name));
  }
}

void report_twins(Report& report, const SampleSet& samples, const Options& options) {
  const std::unique_ptr<SampleSet> others = open_samples(options.beside, options.count);
  require_alike(samples.name(), samples.sample_shape(), *others);
  if (others->count() != samples.count()) {
    throw DataError(fmt::format("{}: holds {} samples, {} holds {}; draw equally many from one seed", options.beside,
                                others->count(), options.samples, samples.count()));
  }
  report.add("twins", twin_share(samples.read_all(), others->read_all(), samples.sample_shape().count()));
}

void run(const Options& options) {
  const FeatureChoice choice = parse_features(options.features);
  require_measuring(choice, options.common, "evaluate");
  const Part part = parse_part(options.split);
  const std::unique_ptr<SampleSet> samples = open_samples(options.samples, options.count);
  const Reference reference = open_reference(options.reference, part, recipe_overrides(options.common));
  check_picture(options, *samples, reference);
  Report report;
  report.add("samples", samples->count());
  if (const auto facts = read_sample_facts(options.samples)) report_facts(report, *facts);
  report.add("reference", reference.name);
  if (samples->is_image()) {
    const std::unique_ptr<Features> features = open_features(choice, options.common);
    report_images(report, *samples, reference, *features, options);
    if (!options.neighbours_picture.empty()) show_neighbours(report, *samples, reference, *features, options);
  } else {
    require_no_features(choice);
    report_points(report, *samples, reference);
  }
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
  add_features_option(*command, options->features);
  command->add_option("--count", options->count, "measure the first N samples (all)")
      ->check(whole_number(2))
      ->type_name("N");
  command
      ->add_option("--neighbours-picture", options->neighbours_picture,
                   "show the first samples, each beside its nearest images of the reference; how near they are: .csv")
      ->type_name("F.png");
  command->add_flag("--overwrite", options->overwrite, "replace the picture");
  command
      ->add_option("--neighbours", options->neighbours,
                   "k of precision, recall, density and coverage, and of the picture (5)")
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
