#pragma once

#include "kernels/core/stream.hpp"

#include <functional>
#include <memory>

namespace ascore::bench {

/// Measures how long a device takes for queued work.
class Timer {
 public:
  virtual ~Timer() = default;
  /// Runs `work`, which queues operations on the stream, to its end.
  virtual double seconds(const std::function<void()>& work) = 0;
};

/// cpu, simt: the steady clock. cuda: events around the work, with the level 2 cache emptied before (see
/// make_cuda_timer).
std::unique_ptr<Timer> make_timer(Stream& stream);

/// Events on `stream`, which must outlive the timer. Before each measurement a buffer larger than the level 2 cache is
/// overwritten: activations of a network do not stay there either, and while that runs the host gets ahead, so that
/// launches are not what is measured. Only in a build with CUDA.
std::unique_ptr<Timer> make_cuda_timer(Stream& stream);

}  // namespace ascore::bench
