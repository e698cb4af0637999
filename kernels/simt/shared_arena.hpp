#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ascore::kernels::simt {

/// Shared memory of the block that runs: static arrays, each named by a key, and one dynamic array. Arrays are parted
/// by red zones; everything is poisoned (NaN as a float) when a block starts. The dynamic array is aligned to 128
/// bytes, and never to more.
class SharedArena {
 public:
  explicit SharedArena(size_t dynamic_bytes);

  /// A new block starts: poison all, keep the layout.
  void reset();
  /// The array that `key` names; null if it has not been made.
  void* find(const void* key);
  /// Makes it. Throws KernelError over 48 KiB of static shared memory.
  void* make(const void* key, size_t bytes);
  void* dynamic() { return dynamic_.data() + dynamic_start_; }
  const void* dynamic() const { return dynamic_.data() + dynamic_start_; }
  size_t dynamic_bytes() const { return dynamic_bytes_; }
  /// True if `address` lies in the arena: in an array or in a red zone.
  bool holds(uintptr_t address) const;
  /// What a block did to the red zones, in words; empty if nothing.
  std::string damage() const;

 private:
  static constexpr size_t kRedZone = 64, kStaticLimit = 48 * 1024, kWindow = 1024, kDynamicPlace = 128;
  struct Slice {
    const void* key;
    size_t offset, bytes;
  };
  std::vector<Slice> slices_;
  size_t used_ = 0;         ///< bytes that the arrays hold
  size_t next_ = kRedZone;  ///< where the next array starts
  std::vector<unsigned char> static_, dynamic_;
  size_t dynamic_bytes_, dynamic_start_;
};

}  // namespace ascore::kernels::simt
