// ascore evaluate SAMPLES RECIPE: how near samples are to a recipe's data, as one line of JSON.
#include "engine/data/dataset.hpp"
#include "engine/data/points.hpp"
#include "engine/io/npz.hpp"
#include "engine/metrics/energy.hpp"
#include "engine/metrics/frechet.hpp"
#include "engine/metrics/modes.hpp"
#include "engine/metrics/twins.hpp"
#include "kernels/core/error.hpp"
#include "tools/commands/commands.hpp"
#include "tools/configs.hpp"
#include "tools/open_data.hpp"
#include "tools/options.hpp"
#include "tools/report.hpp"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace ascore::tools {
namespace {

struct Options {
  CommonOptions common;
  std::string samples, recipe, beside;
};

HostTensor read_samples(const std::string& path, const Shape& sample, DType dtype) {
  const auto arrays = read_npz(path);
  const auto found = arrays.find("arr_0");
  if (found == arrays.end())
    throw DataError(fmt::format("{}: has no array arr_0; give what ascore sample wrote", path));
  const HostTensor& x = found->second;
  bool fits = x.dtype == dtype && x.shape.rank() == sample.rank() + 1;
  for (int i = 0; fits && i < sample.rank(); ++i) fits = x.shape[i + 1] == sample[i];
  if (!fits) {
    throw DataError(fmt::format("{}: arr_0 is {} {}; samples of this recipe are {} [N,{}", path, name(x.dtype),
                                to_string(x.shape), name(dtype), to_string(sample).substr(1)));
  }
  if (x.shape[0] == 0) throw DataError(fmt::format("{}: arr_0 holds no samples", path));
  if (!all_finite(x)) throw DataError(fmt::format("{}: arr_0 holds values that are not finite", path));
  return x;
}

/// All images of the data, in [0,1], as rows.
std::vector<double> all_images(const Recipe& recipe) {
  Recipe untouched = recipe;
  untouched.data.dequantize = untouched.data.transform = "none";
  const std::unique_ptr<Dataset> data = open_data(untouched);
  std::vector<double> rows;
  std::vector<float> image(static_cast<size_t>(data->sample_shape().count()));
  for (const Split split : {Split::train, Split::test}) {
    for (int64_t i = 0; i < data->size(split); ++i) {
      data->read(split, i, image.data());
      rows.insert(rows.end(), image.begin(), image.end());
    }
  }
  return rows;
}

/// Beside the samples' distance, that of two halves of the data: what samples as good as the data would measure.
void report_images(Report& report, const Recipe& recipe, const HostTensor& samples) {
  std::vector<double> drawn = samples.to_doubles();
  for (double& value : drawn) value /= 255;
  const std::vector<double> data = all_images(recipe);
  const int64_t width = sample_shape(recipe).count();
  std::vector<double> halves[2];
  for (size_t i = 0; i < data.size(); i += static_cast<size_t>(width)) {
    auto& half = halves[(i / static_cast<size_t>(width)) % 2];
    half.insert(half.end(), data.begin() + static_cast<std::ptrdiff_t>(i),
                data.begin() + static_cast<std::ptrdiff_t>(i) + width);
  }
  report.add("frechet", frechet_distance(drawn, data, width));
  report.add("halves_frechet", frechet_distance(halves[0], halves[1], width));
}

void report_points(Report& report, const Recipe& recipe, const HostTensor& samples) {
  const std::vector<double> drawn = samples.to_doubles();
  if (const auto mixture = mixture_of(recipe.data.name)) {
    const ModeCoverage coverage = mode_coverage(drawn, *mixture);
    report.add("modes", static_cast<int64_t>(coverage.modes));
    report.add("of", static_cast<int64_t>(coverage.of));
    report.add("within_3sd", coverage.within_3sd);
  }
  const std::unique_ptr<Dataset> data = open_data(recipe);
  const int64_t count = std::min(data->size(Split::test), samples.shape[0]);
  std::vector<double> held_out;
  for (int64_t i = 0; i < count; ++i) {
    float point[2];
    data->read(Split::test, i, point);
    held_out.insert(held_out.end(), point, point + 2);
  }
  report.add("energy_distance", energy_distance(drawn, held_out, 2));
}

void run(const Options& options) {
  require_cpu_only(options.common, "evaluate");
  const Recipe recipe = load_recipe(options.recipe, recipe_overrides(options.common));
  const bool points = is_point_data(recipe.data.name);
  const HostTensor samples = read_samples(options.samples, sample_shape(recipe), points ? DType::f32 : DType::u8);
  Report report;
  report.add("samples", samples.shape[0]);
  points ? report_points(report, recipe, samples) : report_images(report, recipe, samples);
  if (!options.beside.empty()) {
    const HostTensor others = read_samples(options.beside, sample_shape(recipe), samples.dtype);
    if (others.shape[0] != samples.shape[0]) {
      throw DataError(fmt::format("{}: holds {} samples, {} holds {}; draw equally many from one seed", options.beside,
                                  others.shape[0], options.samples, samples.shape[0]));
    }
    report.add("twins", twin_share(samples.to_doubles(), others.to_doubles(), sample_shape(recipe).count()));
  }
  fmt::print("{}\n", report.json_line());
}

}  // namespace

void add_evaluate_command(CLI::App& program, ExitCode&) {
  auto* command = program.add_subcommand(
      "evaluate", "Measure samples: modes and energy distance of points, Frechet distance of small images' pixels");
  auto options = std::make_shared<Options>();
  command->add_option("samples", options->samples, "samples.npz of ascore sample")->required()->type_name("SAMPLES");
  command->add_option("recipe", options->recipe, "whose data to compare with: a file or a shipped name")
      ->required()
      ->type_name("RECIPE");
  command
      ->add_option("--beside", options->beside,
                   "samples.npz of another network from the same seed and sampler: adds the share of samples that are "
                   "nearest to their own twin there")
      ->type_name("SAMPLES");
  add_common_options(*command, options->common);
  command->callback([options] { run(*options); });
}

}  // namespace ascore::tools
