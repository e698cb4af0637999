#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ascore {

struct Neighbour {
  int64_t index = -1;   ///< which row of the reference
  double distance = 0;  ///< Euclidean
};

/// The nearest rows of a reference that is seen piece by piece, for each of some rows.
class NearestNeighbours {
 public:
  /// `rows` of `dimensions` values, whose `k` nearest are wanted. Throws DataError for no rows, ConfigError for k < 1.
  NearestNeighbours(std::vector<double> rows, int64_t dimensions, int k);
  /// The next rows of the reference.
  void add(std::span<const double> reference);
  /// Of row `row`, the nearest first, equally near ones in the reference's order: k, or all where there are fewer.
  const std::vector<Neighbour>& of(int64_t row) const { return nearest_[static_cast<size_t>(row)]; }

 private:
  std::vector<double> rows_;
  int64_t dimensions_;
  size_t k_;
  int64_t seen_ = 0;
  std::vector<std::vector<Neighbour>> nearest_;
};

}  // namespace ascore
