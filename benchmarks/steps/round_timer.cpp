#include "benchmarks/steps/round_timer.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>

namespace ascore::bench {

uint64_t kernel_launches(Stream& stream) {
  if constexpr (kCudaBuilt) {
    if (stream.device() == Device::cuda) return cuda_launches();
  }
  return stream.simt_counters().launches;
}

bool RoundTimer::step_done() {
  ++done_;
  const int64_t measured = done_ - rounds_.warm_up;
  if (measured >= 0 && measured % rounds_.steps == 0) {
    stream_.synchronize();
    const Clock::time_point now = Clock::now();
    if (measured > 0) {
      const double ms = std::chrono::duration<double, std::milli>(now - start_).count();
      milliseconds_.push_back(ms / static_cast<double>(rounds_.steps));
    } else {
      first_launch_ = kernel_launches(stream_);
    }
    last_launch_ = kernel_launches(stream_);
    start_ = Clock::now();
  }
  return done_ >= rounds_.all();
}

std::optional<double> RoundTimer::launches_per_step() const {
  if (stream_.device() == Device::cpu) return std::nullopt;
  return static_cast<double>(last_launch_ - first_launch_) / static_cast<double>(rounds_.rounds * rounds_.steps);
}

StepTimes RoundTimer::times() const {
  if (milliseconds_.empty()) throw Error("ascore-bench: no round of steps was completed");
  std::vector<double> sorted = milliseconds_;
  std::sort(sorted.begin(), sorted.end());
  const auto quantile = [&](size_t quarter) { return sorted[(sorted.size() - 1) * quarter / 4]; };
  return {.median = quantile(2), .lower_quartile = quantile(1), .upper_quartile = quantile(3)};
}

}  // namespace ascore::bench
