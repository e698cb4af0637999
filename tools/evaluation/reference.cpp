#include "tools/evaluation/reference.hpp"

#include "engine/data/points.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/npz.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

namespace fs = std::filesystem;

/// Reads a set in pieces of an even number of samples that fit into memory.
void for_each_piece(const SampleSet& samples, const std::function<void(std::vector<double> rows)>& visit) {
  constexpr int64_t kMostValues = int64_t{1} << 23, kMost = 512;
  const int64_t piece = std::clamp(kMostValues / samples.sample_shape().count() / 2 * 2, int64_t{2}, kMost);
  for (int64_t first = 0; first < samples.count(); first += piece) {
    visit(samples.read(first, std::min(piece, samples.count() - first)));
  }
}

/// Every other row to each half.
void add_halves(const std::vector<double>& rows, int64_t width, std::vector<FeatureSums>& halves) {
  std::vector<double> parted[2];
  for (size_t row = 0; row * static_cast<size_t>(width) < rows.size(); ++row) {
    const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(row) * width;
    parted[row % 2].insert(parted[row % 2].end(), begin, begin + width);
  }
  for (size_t half = 0; half < 2; ++half) halves[half].add(parted[half]);
}

bool holds_statistics(const fs::path& path) {
  return path.extension() == ".npz" && fs::is_regular_file(path) && read_npz(path).contains("mu");
}

}  // namespace

Reference open_reference(const std::string& reference, Part part, const std::vector<std::string>& overrides) {
  const fs::path path = reference;
  if (holds_statistics(path)) return {reference, nullptr, read_statistics(path), {}};
  const bool array = path.extension() == ".npz" || path.extension() == ".npy";
  if (array || fs::is_directory(path)) return {reference, open_samples(path, 0), {}, {}};
  const Recipe recipe = load_recipe(reference, overrides);
  Reference result{.name = {}, .samples = open_recipe_samples(recipe, part), .statistics = {}, .mixture = {}};
  result.name = result.samples->name();
  if (mixture_of(recipe.data.name)) result.mixture = recipe.data.name;
  return result;
}

MeasuredSet measure(const SampleSet& samples, const Features& features, const MeasureOptions& options) {
  const Shape& shape = samples.sample_shape();
  require_enough(samples.name(), samples.count(), shape, features);
  const int64_t width = features.width(shape);
  const auto kept = static_cast<size_t>(std::min(options.keep, samples.count()) * width);
  FeatureSums all(width);
  std::vector<FeatureSums> halves(options.halves ? 2 : 0, all);
  MeasuredSet measured;
  measured.features = features.name(shape);
  for_each_piece(samples, [&](std::vector<double> pixels) {
    const FeatureRows seen = features.of(std::move(pixels), shape);
    const std::vector<double>& rows = seen.features;
    all.add(rows);
    if (options.logits) measured.logits.insert(measured.logits.end(), seen.logits.begin(), seen.logits.end());
    if (options.halves) add_halves(rows, width, halves);
    const size_t more = std::min(kept - measured.first.size(), rows.size());
    measured.first.insert(measured.first.end(), rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(more));
  });
  measured.statistics = all.statistics();
  for (const FeatureSums& half : halves) measured.halves.push_back(half.statistics());
  return measured;
}

MeasuredSet measure_reference(const Reference& reference, const Features& features, const std::string& name,
                              const Shape& shape, const MeasureOptions& options) {
  const std::string wanted = features.name(shape);
  if (reference.statistics) {
    const auto& [known, known_features] = *reference.statistics;
    if (!known_features.empty() && known_features != wanted) {
      throw DataError(fmt::format("{}: statistics of {}, but the samples' features are {}", reference.name,
                                  known_features, wanted));
    }
    if (known.dimensions() != features.width(shape)) {
      throw DataError(fmt::format("{}: statistics of {} features, but the samples have {}", reference.name,
                                  known.dimensions(), features.width(shape)));
    }
    MeasuredSet measured;
    measured.features = wanted;
    measured.statistics = known;
    return measured;
  }
  if (!reference.samples->is_image() || features.name(reference.samples->sample_shape()) != wanted) {
    require_alike(name, shape, *reference.samples);
  }
  return measure(*reference.samples, features, options);
}

std::string statistics_checksum(const FeatureStatistics& statistics) {
  Checksum sum;
  sum.add(std::as_bytes(std::span(statistics.mean)));
  sum.add(std::as_bytes(std::span(statistics.covariance)));
  return sum.text();
}

void require_enough(const std::string& name, int64_t samples, const Shape& shape, const Features& features) {
  if (samples >= features.least_samples()) return;
  throw DataError(fmt::format("{}: {} samples, but features of {} need at least {}", name, samples,
                              features.name(shape), features.least_samples()));
}

void warn_of_few(int64_t samples, bool quiet) {
  constexpr int64_t kFewSamples = 2048;  // below, a distance says more of their number than of their quality
  if (samples >= kFewSamples || quiet) return;
  fmt::print(stderr, "ascore: {} samples: distances of fewer than {} are biased; compare equal numbers only\n", samples,
             kFewSamples);
}

void require_alike(const std::string& name, const Shape& shape, const SampleSet& reference) {
  if (shape == reference.sample_shape()) return;
  throw DataError(fmt::format("{}: samples are {}, those of {} {}; give samples of one shape", name, to_string(shape),
                              reference.name(), to_string(reference.sample_shape())));
}

}  // namespace ascore::tools
