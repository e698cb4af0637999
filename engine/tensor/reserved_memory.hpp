#pragma once

#include "engine/tensor/allocator.hpp"

#include <cstddef>
#include <memory>

namespace ascore {

/// What an allocator offers beside tensors' memory that keeps blocks of the device to itself.
class ReservedMemory {
 public:
  virtual ~ReservedMemory() = default;
  /// Bytes of the device that it holds, in use or not.
  virtual size_t reserved_bytes() const = 0;
  /// Gives what nobody uses back to the device.
  virtual void release_unused() = 0;
  /// One piece of memory for somebody who divides it and enters the parts in `books`: it is not entered itself. Throws
  /// OutOfMemoryError.
  virtual std::shared_ptr<Storage> reserve(size_t bytes) = 0;
  /// The ledger, to write.
  virtual std::shared_ptr<MemoryLedger> books() = 0;
};

}  // namespace ascore
