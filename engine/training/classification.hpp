#pragma once

#include "engine/autograd/recompute.hpp"
#include "engine/training/learner.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace ascore {

/// What a classifier makes of samples whose classes are known.
struct ClassVerdicts {
  std::vector<double> losses;  ///< cross-entropy of each sample
  std::vector<double> hits;    ///< 1 where the true class is the likeliest, else 0
};

/// Updates of a classifier by the cross-entropy of its logits and the true classes. Owns nothing but the labels:
/// network and learner outlive it.
class Classification {
 public:
  /// `network`: forward makes logits [N,K] of a batch. `batch`: samples of an update.
  Classification(Ctx& ctx, const Module& network, Learner& learner, int64_t batch, Recompute recompute);

  /// Writes the true classes of the next update's samples into device memory. Not part of a captured step.
  void take(Ctx& ctx, std::span<const int64_t> labels) const;
  /// Queues an update by `samples`, of the classes that were taken. Its learner has begun the update.
  void queue(Ctx& ctx, const Tensor& samples, const UpdateRecord& record) const;

  /// Waits for what the network, as it is, makes of `samples`.
  ClassVerdicts judge(Ctx& ctx, const Tensor& samples, std::span<const int64_t> labels) const;

 private:
  const Module& network_;
  Learner& learner_;
  Recompute recompute_;
  Tensor labels_;  ///< i32 [N]
};

}  // namespace ascore
