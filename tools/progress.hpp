#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace ascore::tools {

/// Tells on stderr how far long work is: a bar that is redrawn on a terminal, a plain line now and then elsewhere,
/// nothing if quiet. Colour only on a terminal, and not if NO_COLOR is set.
class ProgressDisplay {
 public:
  explicit ProgressDisplay(bool quiet);
  /// Ends the bar's line.
  ~ProgressDisplay();
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  /// `done` of `all`, and what else to say ("loss 3.1, 220 samples/s"). Cheap to call after every step.
  void show(int64_t done, int64_t all, const std::string& words);

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_, terminal_, colour_;
  bool drawn_ = false;
  Clock::time_point last_{};
};

/// "42 s", "3 min 20 s", "5 h 12 min".
std::string duration(double seconds);

}  // namespace ascore::tools
