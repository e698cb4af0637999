#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace ascore {

/// The held-out loss: over all its samples, and over those of each group of noise levels.
struct HeldOutLoss {
  double mean = 0;
  /// Group 1 is that of the largest levels; not a number where no sample fell into a group.
  std::vector<double> by_level = {};
  /// Of a classifier instead: the share of the samples whose class it finds.
  std::optional<double> accuracy = {};
};

/// Adds up per-sample losses by noise level. The L levels are divided into ten groups of consecutive levels, as equal
/// as can be (fewer than ten levels: each its own): level i, from 0, belongs to group floor(10 i / L).
class LossByLevel {
 public:
  /// `levels` decrease.
  explicit LossByLevel(std::span<const double> levels);
  /// Losses of samples and the levels that they were drawn at.
  void add(std::span<const double> sigmas, std::span<const double> losses);
  HeldOutLoss result() const;

 private:
  size_t group_of(double sigma) const;
  std::vector<double> levels_, sums_;
  std::vector<size_t> counts_;
};

}  // namespace ascore
