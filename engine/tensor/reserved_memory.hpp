#pragma once

#include "engine/tensor/allocator.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace ascore {

/// Where somebody who divides a piece of memory enters the parts that are in use.
class MemoryBooks {
 public:
  virtual ~MemoryBooks() = default;
  virtual void add(MemoryKind kind, const std::string& path, size_t bytes) = 0;
  virtual void remove(MemoryKind kind, const std::string& path, size_t bytes) = 0;
};

/// What an allocator offers beside tensors' memory that keeps blocks of the device to itself.
class ReservedMemory {
 public:
  virtual ~ReservedMemory() = default;
  /// Bytes of the device that it holds, in use or not.
  virtual size_t reserved_bytes() const = 0;
  /// Gives what nobody uses back to the device.
  virtual void release_unused() = 0;
  /// Whether an allocation for which there is no room may give back what nobody uses. It must not while a step is
  /// captured: it fails then.
  virtual void allow_release(bool allowed) = 0;
  /// One piece of memory for somebody who divides it and enters the parts in `books`: it is not entered itself. Throws
  /// OutOfMemoryError.
  virtual std::shared_ptr<Storage> reserve(size_t bytes) = 0;
  /// The ledger, to write.
  virtual std::shared_ptr<MemoryBooks> books() = 0;
};

}  // namespace ascore
