#include "tools/evaluation/reference.hpp"

#include "engine/data/points.hpp"
#include "engine/io/npz.hpp"
#include "kernels/core/error.hpp"

#include <algorithm>
#include <filesystem>
#include <functional>

#include <fmt/format.h>

namespace ascore::tools {

namespace {

namespace fs = std::filesystem;

/// Reads a set in pieces of an even number of samples.
void for_each_piece(const SampleSet& samples, const std::function<void(const std::vector<double>& rows)>& visit) {
  constexpr int64_t kPiece = 512;
  for (int64_t first = 0; first < samples.count(); first += kPiece) {
    visit(samples.read(first, std::min(kPiece, samples.count() - first)));
  }
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

std::string pixel_features(const Shape& sample_shape) {
  return fmt::format("pixels {}", to_string(sample_shape));
}

FeatureStatistics pixel_statistics(const SampleSet& samples) {
  FeatureSums sums(samples.sample_shape().count());
  for_each_piece(samples, [&](const std::vector<double>& rows) { sums.add(rows); });
  return sums.statistics();
}

std::vector<FeatureStatistics> halves_statistics(const SampleSet& samples) {
  const int64_t width = samples.sample_shape().count();
  FeatureSums halves[2] = {FeatureSums(width), FeatureSums(width)};
  for_each_piece(samples, [&](const std::vector<double>& rows) {
    std::vector<double> parted[2];
    for (size_t row = 0; row * static_cast<size_t>(width) < rows.size(); ++row) {
      const auto begin = rows.begin() + static_cast<std::ptrdiff_t>(row) * width;
      parted[row % 2].insert(parted[row % 2].end(), begin, begin + width);
    }
    for (int half = 0; half < 2; ++half) halves[half].add(parted[half]);
  });
  return {halves[0].statistics(), halves[1].statistics()};
}

}  // namespace ascore::tools
