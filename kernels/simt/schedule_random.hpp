#pragma once

#include <cstdint>

namespace ascore::kernels::simt {

/// xorshift64*: shuffles are for variety, not statistics.
class ScheduleRandom {
 public:
  explicit ScheduleRandom(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull) {}
  uint64_t below(uint64_t n) {
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return (state_ * 0x2545f4914f6cdd1dull >> 33) % n;
  }

 private:
  uint64_t state_;
};

}  // namespace ascore::kernels::simt
