#pragma once

#include "kernels/core/stream.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace ascore::bench {

/// How many steps are measured: `rounds` times `steps`, after `warm_up`. A round ends when the device is done with it,
/// so that a device may run behind the host inside a round.
struct Rounds {
  int64_t warm_up = 3, rounds = 10, steps = 1;
  int64_t all() const { return warm_up + rounds * steps; }
};

/// Milliseconds per step, and how far rounds lie apart.
struct StepTimes {
  double median = 0, lower_quartile = 0, upper_quartile = 0;
};

/// Told of every step as it ends, in the middle of a loop that belongs to somebody else.
class RoundTimer {
 public:
  RoundTimer(Stream& stream, const Rounds& rounds) : stream_(stream), rounds_(rounds) {}
  /// True if this was the last step wanted.
  bool step_done();
  /// Kernels launched per step since the warm-up; absent where nothing counts them (cpu).
  std::optional<double> launches_per_step() const;
  StepTimes times() const;

 private:
  using Clock = std::chrono::steady_clock;

  Stream& stream_;
  Rounds rounds_;
  int64_t done_ = 0;
  Clock::time_point start_{};
  uint64_t first_launch_ = 0, last_launch_ = 0;
  std::vector<double> milliseconds_;
};

/// Kernels launched so far: on simt by the stream, on cuda by the process.
uint64_t kernel_launches(Stream& stream);
/// Of cuda: every call of the runtime that launches a kernel or a graph. Only in a build with CUDA.
uint64_t cuda_launches();

}  // namespace ascore::bench
