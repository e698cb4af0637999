#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <new>

namespace ascore::kernels::cpu {

/// Memory of a stream that cpu products lay packed operands in: a few slots that grow and are used again, so that a
/// step allocates nothing once it has run. `stream.attached<HostScratch>()`.
class HostScratch {
 public:
  enum Slot { source, destination, weights, packed, library, rows, columns, spread, kSlots };

  /// At least `count` elements of T, 64-byte aligned, uninitialised; valid until the slot is taken again.
  template <class T>
  T* take(Slot slot, size_t count) {
    Block& block = blocks_[slot];
    if (block.bytes < count * sizeof(T)) {
      block.memory.reset();
      block.memory.reset(::operator new(count * sizeof(T), kAlignment));
      block.bytes = count * sizeof(T);
    }
    return static_cast<T*>(block.memory.get());
  }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Release {
    void operator()(void* memory) const noexcept { ::operator delete(memory, kAlignment); }
  };
  struct Block {
    std::unique_ptr<void, Release> memory;
    size_t bytes = 0;
  };
  std::array<Block, kSlots> blocks_;
};

}  // namespace ascore::kernels::cpu
