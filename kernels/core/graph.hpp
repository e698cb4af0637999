#pragma once

#include "kernels/core/stream.hpp"

#include <cstddef>
#include <functional>
#include <memory>

namespace ascore {

/// A step that was written down once and can be run again and again without the host thinking it through: kernels,
/// copies inside the device and fills, in order, with their arguments as they were. On cuda a CUDA graph; on simt a
/// list of launches, which obeys the same rules; on the cpu there is none.
///
/// What may change from replay to replay lies in device memory (StepScalars, NoiseKey::step_offset, inputs that are
/// copied into place). Memory that the step allocates while it is captured must stay as long as the graph (see
/// ArenaAllocator).
class Graph {
 public:
  /// Calls `body`, which queues the step on `stream`; nothing of it runs. Throws DeviceError on a cpu stream, inside
  /// another capture, and where the body reads or writes host memory or waits; whatever the body throws goes through.
  static Graph capture(Stream& stream, const std::function<void()>& body);

  /// Queues the step once more, on the stream that it was captured on or another of its device.
  void replay(Stream& stream) const;
  /// Kernels, copies and fills.
  size_t size() const { return size_; }

 private:
  Graph(std::shared_ptr<void> work, size_t size) : work_(std::move(work)), size_(size) {}

  std::shared_ptr<void> work_;  ///< simt: a Recording; cuda: a cudaGraphExec_t
  size_t size_;
};

}  // namespace ascore
