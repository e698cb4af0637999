#include "engine/dist/gradient_buckets.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore {

GradientBuckets::GradientBuckets(Communicator& ranks, size_t bucket_bytes)
    : ranks_(ranks), bucket_bytes_(bucket_bytes) {}

void GradientBuckets::begin(View gradients) {
  if (!pending_.empty()) throw Error("gradient buckets: a pass begins before the last one's sums were waited for");
  gradients_ = gradients;
  buckets_.clear();
  const int64_t elements = std::max<int64_t>(1, static_cast<int64_t>(bucket_bytes_ / size_of(gradients.dtype())));
  for (int64_t end = gradients.count(); end > 0; end -= elements) {
    const int64_t first = std::max<int64_t>(0, end - elements);
    buckets_.push_back({first, end, end - first});
  }
}

void GradientBuckets::ready(Stream& stream, int64_t first, int64_t end) {
  if (first < 0 || end < first || end > gradients_.count()) {
    throw ShapeError(
        fmt::format("gradient buckets: elements {} to {} of {} are ready", first, end, gradients_.count()));
  }
  for (Bucket& bucket : buckets_) {
    const int64_t overlap = std::min(end, bucket.end) - std::max(first, bucket.first);
    if (overlap <= 0) continue;
    bucket.missing -= overlap;
    if (bucket.missing < 0) {
      throw Error(fmt::format("gradient buckets: some of the elements {} to {} were ready before", first, end));
    }
  }
  while (started() < count() && buckets_[started()].missing == 0) start_next(stream);
}

void GradientBuckets::wait(Stream& stream) {
  while (started() < count()) start_next(stream);
  for (Pending& sum : pending_) sum.wait(stream);
  pending_.clear();
}

void GradientBuckets::start_next(Stream& stream) {
  const Bucket& bucket = buckets_[started()];
  std::byte* data =
      static_cast<std::byte*>(gradients_.raw()) + static_cast<size_t>(bucket.first) * size_of(gradients_.dtype());
  const View part(data, {bucket.end - bucket.first}, gradients_.dtype(), gradients_.device());
  pending_.push_back(ranks_.start_all_reduce_sum(stream, part));
}

}  // namespace ascore
