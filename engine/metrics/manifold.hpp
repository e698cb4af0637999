#pragma once

#include <cstdint>
#include <span>

namespace ascore {

/// How two sets of features overlap, judged by balls around their members that reach to the k-th nearest of the same
/// set.
struct ManifoldOverlap {
  double precision = 0;  ///< share of samples that lie in some real ball: how many look real
  double recall = 0;     ///< share of real ones that lie in some sample's ball: how much of the data is reached
  double density = 0;    ///< real balls that a sample lies in, over k: precision that outliers do not lift; may pass 1
  double coverage = 0;   ///< share of real balls that hold a sample: recall that outliers do not lift
};

/// Precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991), density and coverage (Naeem et al. 2020,
/// arXiv:2002.09797). Sets of rows of `dimensions` values; Euclidean distances, in f64, over all pairs: O(N^2 D) time
/// and O(N) memory. Published values use k = 3 for the first two, k = 5 for the others. Throws DataError unless both
/// sets have more than k rows.
ManifoldOverlap manifold_overlap(std::span<const double> real, std::span<const double> samples, int64_t dimensions,
                                 int k = 5);

}  // namespace ascore
