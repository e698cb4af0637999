#pragma once

#include "engine/metrics/feature_statistics.hpp"
#include "tools/evaluation/sample_set.hpp"
#include "tools/features.hpp"

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

/// A set as its features show it.
struct MeasuredSet {
  std::string features;                   ///< Features::name
  FeatureStatistics statistics;           ///< of all
  std::vector<FeatureStatistics> halves;  ///< of every other sample each, if asked for
  std::vector<double> first;              ///< features of the first so many samples, [N,D]
  std::vector<double> logits;             ///< of all samples, if asked for; empty where no classes are told apart
};
struct MeasureOptions {
  bool halves = false;
  int64_t keep = 0;  ///< how many of the first samples' features are kept
  bool logits = false;
};
/// Reads a set of images once, in pieces. Throws DataError where there are fewer than the features are good for.
MeasuredSet measure(const SampleSet& samples, const Features& features, const MeasureOptions& options = {});

/// The reference's statistics of the features that samples called `name`, of `shape`, are measured by. Of a set, with
/// what `options` ask for. Throws DataError where it holds others, or images that cannot be compared.
MeasuredSet measure_reference(const Reference& reference, const Features& features, const std::string& name,
                              const Shape& shape, const MeasureOptions& options = {});

/// CRC-32 of mean and covariance: the same for a set and for the statistics that were written of it.
std::string statistics_checksum(const FeatureStatistics& statistics);

/// Throws DataError where these are fewer samples, of `shape` and called `name`, than the features are good for.
void require_enough(const std::string& name, int64_t samples, const Shape& shape, const Features& features);
/// Says on stderr that distances of few samples are biased, unless `quiet`.
void warn_of_few(int64_t samples, bool quiet);

/// Throws DataError unless the samples called `name` are of the reference's shape.
void require_alike(const std::string& name, const Shape& shape, const SampleSet& reference);

}  // namespace ascore::tools
