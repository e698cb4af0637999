#pragma once

#include "kernels/core/host_device.hpp"

#include <bit>
#include <cstdint>

namespace ascore::kernels {

/// Division of 0 <= n < 2^31 by a number that a kernel does not know when it is compiled, by one product and one shift
/// instead of some twenty instructions (Granlund & Montgomery, "Division by invariant integers using multiplication",
/// PLDI 1994, figure 4.1).
struct Divisor {
  int divisor = 1;
  uint32_t factor = 1;
  int shift = 0;

  Divisor() = default;
  explicit Divisor(int d) : divisor(d), shift(std::bit_width(static_cast<uint32_t>(d) - 1)) {
    const uint64_t excess = (uint64_t(1) << shift) - static_cast<uint64_t>(d);
    factor = static_cast<uint32_t>((excess << 32) / static_cast<uint64_t>(d) + 1);
  }

  ASCORE_HOST_DEVICE int quotient(int n) const {
    const uint32_t high = static_cast<uint32_t>(static_cast<uint64_t>(static_cast<uint32_t>(n)) * factor >> 32);
    return static_cast<int>((high + static_cast<uint32_t>(n)) >> shift);
  }
  ASCORE_HOST_DEVICE int remainder(int n, int quotient) const { return n - quotient * divisor; }
};

}  // namespace ascore::kernels
