#pragma once

#include "kernels/simt/mbarriers.hpp"

#include <cstddef>
#include <cstdint>

namespace ascore::kernels::simt {

/// The block's dynamic shared memory by the addresses that instructions use: its window of shared memory begins with
/// what the system keeps for itself.
struct SharedWindow {
  unsigned char* memory;
  size_t bytes;

  /// Dynamic shared memory is promised to be aligned to 128 bytes, and is to no more.
  static constexpr uint32_t kFirst = 1024 + 128;

  uint32_t address(const void* place) const {
    return static_cast<uint32_t>(static_cast<const unsigned char*>(place) - memory) + kFirst;
  }
  /// Where `count` bytes at `address` lie in `memory`. Throws BrokenRule if they do not.
  size_t offset(uint32_t address, size_t count, unsigned thread) const {
    const size_t at = size_t(address) - kFirst;
    if (address < kFirst || at + count > bytes) {
      throw BrokenRule{thread,
                       "names shared memory outside the block's dynamic shared memory in an asynchronous "
                       "instruction"};
    }
    return at;
  }
};

}  // namespace ascore::kernels::simt
