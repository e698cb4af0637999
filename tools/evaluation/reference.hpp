#pragma once

#include "engine/metrics/feature_statistics.hpp"
#include "tools/evaluation/sample_set.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ascore::tools {

/// What samples are measured against.
struct Reference {
  std::string name;
  std::unique_ptr<SampleSet> samples;          ///< null where only statistics are known
  std::optional<StoredStatistics> statistics;  ///< of a statistics file
  std::optional<std::string> mixture;          ///< a recipe's two-dimensional data, by name
};

/// REF: statistics (.npz with mu and sigma), samples (see open_samples), or a recipe, a file or a shipped name, of
/// whose data `part` is meant. Throws DataError, ConfigError.
Reference open_reference(const std::string& reference, Part part, const std::vector<std::string>& overrides);

/// Name of features that are the pixels themselves: it must agree where statistics are compared.
std::string pixel_features(const Shape& sample_shape);

/// Statistics of a set's pixels, read in pieces.
FeatureStatistics pixel_statistics(const SampleSet& samples);
/// The same of two halves of the set, every other sample each.
std::vector<FeatureStatistics> halves_statistics(const SampleSet& samples);

}  // namespace ascore::tools
