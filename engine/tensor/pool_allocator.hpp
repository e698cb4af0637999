#pragma once

#include "engine/tensor/allocator.hpp"

#include <cstddef>
#include <limits>
#include <memory>

namespace ascore {

struct PoolOptions {
  /// At most so many bytes are taken from the device, free lists included; then OutOfMemoryError, as if it had no more.
  size_t limit = std::numeric_limits<size_t>::max();
  /// Blocks have addresses and are counted, but there is no memory behind them: for dry streams (kNothingRuns).
  bool dry = false;
};

/// make_pool_allocator(device), with options.
std::unique_ptr<Allocator> make_pool_allocator(Device device, const PoolOptions& options);

}  // namespace ascore
