#pragma once

#include "kernels/core/stream.hpp"

#include <cstddef>
#include <memory>
#include <vector>

namespace ascore {

/// Times what runs on a stream: marks are passed when the work before them is done. On cuda they are events, queued
/// like kernels; elsewhere the host's clock, because the host does the work.
class DeviceClock {
 public:
  explicit DeviceClock(Stream& stream);
  ~DeviceClock();
  DeviceClock(const DeviceClock&) = delete;
  DeviceClock& operator=(const DeviceClock&) = delete;

  /// Sets a mark; its number, counted from 0.
  size_t mark();
  /// The same on another stream of the GPU, a cudaStream_t.
  size_t mark_on(void* native);
  /// When each mark was passed, in seconds since the first. Waits for the stream.
  std::vector<double> seconds();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ascore
