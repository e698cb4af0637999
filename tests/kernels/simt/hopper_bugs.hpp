#pragma once

#include "kernels/core/stream.hpp"

#include <span>
#include <vector>

namespace ascore::test {

/// A small product by bulk copies and wgmma with one rule broken, and what the error says. `none` keeps the rules.
struct HopperBug {
  const char* name;
  /// sums [64][128] of a [64][64] and b [128][64], bf16 as bits.
  std::vector<float> (*run)(Stream& stream, const std::vector<uint16_t>& a, const std::vector<uint16_t>& b);
  const char* message;
};
std::span<const HopperBug> hopper_bugs();

}  // namespace ascore::test
