#include "engine/dist/collective_checks.hpp"

#include "kernels/core/error.hpp"

#include <numeric>

#include <fmt/format.h>

namespace ascore::dist {

namespace {

void check_view(const Stream& stream, ConstView view, const char* operation) {
  if (!view.present()) throw ShapeError(fmt::format("{}: the view is absent", operation));
  if (view.device() != stream.device()) {
    throw DeviceError(fmt::format("{}: the view lies on {}, the stream runs on {}", operation, name(view.device()),
                                  name(stream.device())));
  }
}

}  // namespace

void check_broadcast(const Stream& stream, ConstView view, int root, int size) {
  check_view(stream, view, "broadcast");
  if (root < 0 || root >= size) throw ShapeError(fmt::format("broadcast: root {} of {} ranks", root, size));
}

void check_all_reduce(const Stream& stream, ConstView view) {
  check_view(stream, view, "all_reduce_sum");
  if (view.dtype() != DType::f32 && view.dtype() != DType::f64) {
    throw DTypeError(fmt::format("all_reduce_sum: sums f32 or f64; given {}", name(view.dtype())));
  }
}

void check_all_gather(const Stream& stream, ConstView mine, ConstView all, std::span<const int64_t> counts, int rank,
                      int size) {
  check_view(stream, mine, "all_gather");
  check_view(stream, all, "all_gather");
  if (mine.dtype() != all.dtype()) {
    throw DTypeError(fmt::format("all_gather: pieces of {} into {}", name(mine.dtype()), name(all.dtype())));
  }
  if (counts.size() != static_cast<size_t>(size)) {
    throw ShapeError(fmt::format("all_gather: {} counts for {} ranks", counts.size(), size));
  }
  if (mine.count() != counts[static_cast<size_t>(rank)]) {
    throw ShapeError(fmt::format("all_gather: rank {} brings {} elements, counts say {}", rank, mine.count(),
                                 counts[static_cast<size_t>(rank)]));
  }
  const int64_t total = std::accumulate(counts.begin(), counts.end(), int64_t{0});
  if (all.count() != total) {
    throw ShapeError(fmt::format("all_gather: {} elements into room for {}", total, all.count()));
  }
}

void check_not_captured(const Stream& stream, const char* operation) {
  if (!stream.capturing()) return;
  throw DeviceError(
      fmt::format("{}: ranks exchange host memory, which a captured step cannot repeat; do not capture "
                  "steps of several ranks on {}",
                  operation, name(stream.device())));
}

}  // namespace ascore::dist
