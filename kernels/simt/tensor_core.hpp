#pragma once

#include "kernels/simt/device.hpp"
#include "kernels/simt/instructions.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

/// The emulated body of core/tensor_core.hpp, which documents these functions. Included by it, on simt only. What
/// touches memory of the device is here, where access checks see it; what touches registers alone in tensor_core.cpp.
namespace ascore::kernels::simt {

namespace tensor_core {

/// Memory access in words of 32 and 16 bits, as ordinary loads and stores that access checks see.
inline uint32_t half(const void* address, int index) {
  return static_cast<const uint16_t*>(address)[index];
}
inline uint32_t word(const void* address, int index) {
  return static_cast<const uint32_t*>(address)[index];
}
inline void set_word(void* address, int index, uint32_t value) {
  static_cast<uint32_t*>(address)[index] = value;
}

inline constexpr uint32_t kNotYet = 0xffffffffu;  ///< NaN, as f32 and as two bf16

/// One lane's registers of a warp-wide product.
struct ProductRegisters {
  float* c;           ///< [rows][columns][4]
  const uint32_t* a;  ///< [rows][4]
  const uint32_t* b;  ///< [columns][2]
  int rows, columns;  ///< at most kMaxFragments
};
inline constexpr int kMaxFragments = 8;

// Bodies for warp_together: the product for all lanes.
void multiply_bf16(void* const* lanes);
void multiply_tf32(void* const* lanes);

/// One lane's side of an ldmatrix: the row it names, and those that it will read of each matrix.
struct LoadSide {
  const void* row;
  int count;
  bool transposed;
  const void *first[4], *second[4];
};
/// Body for warp_together: tells every lane where its elements lie: row g of each matrix, or, transposed, rows 2t and
/// 2t+1.
void exchange_rows(void* const* lanes);

}  // namespace tensor_core

template <int Bytes>
void cp_async(void* shared, const void* global, int valid) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
  require_aligned(shared, Bytes, "cp.async");
  if (valid > 0) require_aligned(global, Bytes, "cp.async");
  for (int i = 0; i < Bytes / 4; ++i) tensor_core::set_word(shared, i, tensor_core::kNotYet);
  async_copy_start({shared, global, Bytes, valid});
}

inline void cp_async_commit() {
  async_copy_commit();
}

template <int Groups>
void cp_async_wait() {
  AsyncCopy copy;
  while (async_copy_take(Groups, copy)) {
    uint32_t words[4] = {};
    for (int i = 0; i < copy.valid / 4; ++i) words[i] = tensor_core::word(copy.global, i);
    if (copy.valid % 4 == 2) words[copy.valid / 4] = tensor_core::half(copy.global, copy.valid / 2 - 1);
    for (int i = 0; i < copy.bytes / 4; ++i) tensor_core::set_word(copy.shared, i, words[i]);
  }
}

template <int Count, bool Transposed>
void ldmatrix(uint32_t (&registers)[Count], const void* row) {
  static_assert(Count == 1 || Count == 2 || Count == 4);
  require_aligned(row, 16, "ldmatrix");
  tensor_core::LoadSide mine{row, Count, Transposed, {}, {}};
  warp_together(&mine, tensor_core::exchange_rows);
  // Every lane loads its own elements, so that access checks know who reads.
  const int g = static_cast<int>(lane_index()) / 4, t = static_cast<int>(lane_index()) % 4;
  for (int i = 0; i < Count; ++i) {
    if constexpr (Transposed) {
      const uint32_t low = tensor_core::half(mine.first[i], g), high = tensor_core::half(mine.second[i], g);
      registers[i] = low | high << 16;
    } else {
      registers[i] = tensor_core::word(mine.first[i], t);
    }
  }
}

template <int Rows, int Columns>
void mma_bf16(float (&c)[Rows][Columns][4], const uint32_t (&a)[Rows][4], const uint32_t (&b)[Columns][2]) {
  static_assert(Rows <= tensor_core::kMaxFragments && Columns <= tensor_core::kMaxFragments);
  tensor_core::ProductRegisters mine{&c[0][0][0], &a[0][0], &b[0][0], Rows, Columns};
  warp_together(&mine, tensor_core::multiply_bf16);
}

template <int Rows, int Columns>
void mma_tf32(float (&c)[Rows][Columns][4], const uint32_t (&a)[Rows][4], const uint32_t (&b)[Columns][2]) {
  static_assert(Rows <= tensor_core::kMaxFragments && Columns <= tensor_core::kMaxFragments);
  tensor_core::ProductRegisters mine{&c[0][0][0], &a[0][0], &b[0][0], Rows, Columns};
  warp_together(&mine, tensor_core::multiply_tf32);
}

inline uint32_t to_tf32(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7f800000u) == 0x7f800000u) return std::isnan(value) ? 0x7fffe000u : bits;
  return (bits + 0x1000u) & 0xffffe000u;
}

}  // namespace ascore::kernels::simt
