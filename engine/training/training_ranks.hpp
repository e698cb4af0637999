#pragma once

#include "engine/dist/communicator.hpp"
#include "engine/dist/gradient_buckets.hpp"
#include "engine/training/batch_parts.hpp"
#include "engine/training/learner.hpp"
#include "kernels/core/error.hpp"

#include <span>
#include <vector>

namespace ascore {

/// Ranks that hold the same parameters, and should, do not: a fault of the machine or of this program.
class RanksDifferError : public Error {
 public:
  using Error::Error;
};

/// What the processes of one training run do together. Each looks at a share of every batch; parameters, averages and
/// buffers are the same on all, to the bit: equal starts, and updates from sums that are equal keep them so.
class TrainingRanks {
 public:
  /// `ranks` outlives this. Throws ConfigError if a batch has fewer samples than there are ranks.
  TrainingRanks(Communicator& ranks, int64_t batch, size_t bucket_bytes = GradientBuckets::kBucketBytes);

  Communicator& communicator() const { return ranks_; }
  bool alone() const { return ranks_.size() == 1; }
  /// This rank's part of every batch.
  const BatchShare& share() const { return share_; }
  /// What updates ask of the others; empty if there are none.
  BatchPeers peers();
  /// The same answer on all ranks: true if it is true on any.
  bool any(bool mine);
  /// The values of all ranks, one after the other.
  std::vector<double> joined(const std::vector<double>& mine);
  /// Compares parameters and buffers of all ranks. Throws RanksDifferError, on all of them, naming the first rank that
  /// differs from rank 0, and the step.
  void require_equal(Ctx& ctx, std::span<const Learner* const> learners, int64_t step);

 private:
  void begin_gradients(Ctx& ctx, Tape& tape, const Learner& learner);

  Communicator& ranks_;
  std::vector<int64_t> counts_;  ///< samples of each rank
  BatchShare share_;
  GradientBuckets buckets_;
};

}  // namespace ascore
