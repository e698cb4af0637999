#pragma once

#include "kernels/simt/tensor_map.hpp"

#include <cstddef>
#include <cstdint>

namespace ascore::kernels::simt {

struct Mbarrier;

/// One bulk tensor copy that has been started: where its box begins, and where it goes.
struct BulkCopy {
  TensorMap map;
  int start[4];   ///< TiledBox: x, y, z, 0; PixelBox: channel, w, h, n
  int offset[2];  ///< PixelBox: added to w and h
  uint32_t shared;
  Mbarrier* barrier;
  unsigned thread;
};

/// Bytes of shared memory are permuted by their address: which 16 of a 128-byte line depends on the line.
constexpr uint32_t swizzle_128(uint32_t address) {
  return address ^ (address >> 3 & 0x70u);
}

/// Walks over the rows of a copy's box in the order in which they lie in shared memory.
class BulkRows {
 public:
  explicit BulkRows(const BulkCopy& copy);
  /// The innermost dimension's line in which the row lies: its element 0; null outside.
  const uint16_t* line() const;
  void next();

 private:
  const BulkCopy& copy_;
  int64_t at_[4];
  int y_ = 0;  ///< of a TiledBox: rows since the last change of z
};

}  // namespace ascore::kernels::simt
