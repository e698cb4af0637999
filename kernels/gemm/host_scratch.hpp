#pragma once

#include "kernels/core/dry_run.hpp"
#include "kernels/core/library_memory.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace ascore::kernels::cpu {

/// Memory of a stream that cpu products lay packed operands in: a few slots that grow and are used again, so that a
/// step allocates nothing once it has run.
class HostScratch {
 public:
  enum Slot { source, destination, weights, packed, library, rows, columns, kSlots };

  /// At least `count` elements of T, 64-byte aligned, uninitialised; valid until the slot is taken again. On a dry
  /// stream they are counted only, and have an address that nobody may touch.
  template <class T>
  T* take(Stream& stream, Slot slot, size_t count) {
    Block& block = blocks_[slot];
    const size_t bytes = count * sizeof(T);
    if (block.bytes < bytes) grow(stream, block, bytes);
    return static_cast<T*>(block.memory ? block.memory.get() : reinterpret_cast<void*>(kNowhere));
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  static constexpr uintptr_t kNowhere = 64;
  struct Release {
    void operator()(void* memory) const noexcept { ::operator delete(memory, kAlignment); }
  };
  struct Block {
    std::unique_ptr<void, Release> memory;
    size_t bytes = 0;
  };

  void grow(Stream& stream, Block& block, size_t bytes) {
    auto& counted = stream.attached<LibraryMemory>();
    counted.remove(block.bytes);
    block.bytes = 0;
    block.memory.reset();
    if (!is_dry(stream)) block.memory.reset(::operator new(bytes, kAlignment));
    block.bytes = bytes;
    counted.add(bytes);
  }

  std::array<Block, kSlots> blocks_;
};

/// The stream's own scratch memory in `slot` (see HostScratch::take).
template <class T>
T* take_scratch(Stream& stream, HostScratch::Slot slot, size_t count) {
  return stream.attached<HostScratch>().take<T>(stream, slot, count);
}

}  // namespace ascore::kernels::cpu
