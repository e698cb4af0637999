#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ascore {

/// Mean and covariance of a set of feature vectors.
struct FeatureStatistics {
  int64_t count = 0;               ///< vectors; 0: not known (files of other tools do not say)
  std::vector<double> mean;        ///< [D]
  std::vector<double> covariance;  ///< [D,D], unbiased (divided by count - 1)

  int64_t dimensions() const { return static_cast<int64_t>(mean.size()); }
};

/// Collects the statistics of vectors that come in pieces, in f64. A piece's own mean and spread are merged into what
/// there is (Chan, Golub and LeVeque 1979), so that nothing cancels however far from zero the features lie. The same
/// pieces give the same bits on any number of threads.
class FeatureSums {
 public:
  /// Throws DataError for less than one dimension.
  explicit FeatureSums(int64_t dimensions);

  /// `rows`: vectors one after another. Throws DataError unless they are whole and finite.
  void add(std::span<const double> rows);
  int64_t count() const { return count_; }
  /// Throws DataError for fewer than two vectors.
  FeatureStatistics statistics() const;

 private:
  int64_t dimensions_, count_ = 0;
  std::vector<double> mean_, scatter_;  ///< [D], [D,D]: sum of (x - mean)(x - mean)^T
};

/// Statistics of one set of rows.
FeatureStatistics feature_statistics(std::span<const double> rows, int64_t dimensions);

/// Writes an .npz that pytorch-fid ("mu", "sigma") and guided-diffusion's evaluator read, f64, with the number of
/// vectors as "count" and what they are as "features" (u8 text). Atomically. Throws DiskError.
void write_statistics(const std::filesystem::path& path, const FeatureStatistics& statistics,
                      const std::string& features);

struct StoredStatistics {
  FeatureStatistics statistics;
  std::string features;  ///< empty where the file does not say
};

/// Reads what write_statistics or pytorch-fid wrote. Throws DataError: no such file, no mu [D] or sigma [D,D], values
/// that are not finite, a covariance that is not symmetric.
StoredStatistics read_statistics(const std::filesystem::path& path);

}  // namespace ascore
