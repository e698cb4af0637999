#pragma once

#include "engine/dist/communicator.hpp"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ascore {

/// Sums flat gradients over ranks while backward is still making them (Li et al. 2020, arXiv:2006.15704, section 3.2):
/// the tensor is cut into buckets from its end, because the last layers' gradients are final first, and the sum of a
/// bucket starts as soon as all of it is final. Buckets start in one order, on every rank the same, whatever the order
/// in which parameters become final.
class GradientBuckets {
 public:
  static constexpr size_t kBucketBytes = size_t{25} << 20;

  explicit GradientBuckets(Communicator& ranks, size_t bucket_bytes = kBucketBytes);

  /// A backward pass begins that fills `gradients` (f32 or f64, flat). Throws Error if the last one was not waited for.
  void begin(View gradients);
  /// Elements [first, end) are final: nothing of backward touches them again. Throws Error if they were so before.
  void ready(Stream& stream, int64_t first, int64_t end);
  /// Starts what has not started (parameters that nothing used), then waits for all sums.
  void wait(Stream& stream);

  /// Buckets of the present gradients, and how many of their sums have started.
  size_t count() const { return buckets_.size(); }
  size_t started() const { return pending_.size(); }

 private:
  struct Bucket {
    int64_t first, end, missing;
  };
  void start_next(Stream& stream);

  Communicator& ranks_;
  size_t bucket_bytes_;
  View gradients_;
  std::vector<Bucket> buckets_;
  std::vector<Pending> pending_;
};

}  // namespace ascore
