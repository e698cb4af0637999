#pragma once

#include "kernels/core/math_mode.hpp"
#include "kernels/gemm/operand.hpp"

/// The multistage product that every convolution and linear layer runs on: while a warp multiplies one slice of the
/// operands, the copies of the next ones are under way into other stages of shared memory.
namespace ascore::kernels::ASCORE_BACKEND {

/// A tile as types: what tile_size says, as constants.
template <TileKind kind>
struct Tile {
  static constexpr TileSize kSize = tile_size(kind);
  static constexpr int kThreads = kSize.threads();
  static constexpr int kFragmentRows = kSize.warp_rows / 16, kFragmentColumns = kSize.warp_columns / 8;
  static_assert(kSize.warp_rows % 16 == 0 && kSize.warp_columns % 16 == 0);

  using Sums = float[kFragmentRows][kFragmentColumns][4];

  /// First row and column, inside the block's tile, of the calling warp.
  static __device__ __forceinline__ int warp_row() {
    return int(threadIdx.x) / 32 % (kSize.rows / kSize.warp_rows) * kSize.warp_rows;
  }
  static __device__ __forceinline__ int warp_column() {
    return int(threadIdx.x) / 32 / (kSize.rows / kSize.warp_rows) * kSize.warp_columns;
  }

  /// Calls store(row, column, v0, v1) for all of the thread's sums: those at (row, column) and (row, column + 1).
  template <class Store>
  static __device__ __forceinline__ void for_pairs(const Sums& sums, const Store& store) {
    const int lane = int(threadIdx.x) % 32;
#pragma unroll
    for (int i = 0; i < kFragmentRows; ++i) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int row = warp_row() + 16 * i + 8 * half + lane / 4;
#pragma unroll
        for (int j = 0; j < kFragmentColumns; ++j) {
          store(row, warp_column() + 8 * j + lane % 4 * 2, sums[i][j][2 * half], sums[i][j][2 * half + 1]);
        }
      }
    }
  }
};

/// sums += a b for fragments of bf16.
template <int Rows, int Columns>
__device__ __forceinline__ void multiply(float (&sums)[Rows][Columns][4], uint32_t (&a)[Rows][4],
                                         uint32_t (&b)[Columns][2], MathMode, bf16) {
  mma_bf16(sums, a, b);
}

/// x = large + small, both tf32: 21 or 22 bits of x's 24.
template <int N>
__device__ __forceinline__ void split(uint32_t (&large)[N], uint32_t (&small)[N]) {
#pragma unroll
  for (int i = 0; i < N; ++i) {
    const float x = std::bit_cast<float>(large[i]);
    large[i] = to_tf32(x);
    small[i] = to_tf32(x - std::bit_cast<float>(large[i]));
  }
}

/// sums += a b for fragments of f32, as MathMode says: operands rounded to tf32, or a b as three products of tf32
/// parts, the smallest first; small times small, at most 2^-22 |a b|, is left out.
template <int Rows, int Columns>
__device__ __forceinline__ void multiply(float (&sums)[Rows][Columns][4], uint32_t (&a)[Rows][4],
                                         uint32_t (&b)[Columns][2], MathMode math, float) {
  uint32_t small_a[Rows][4], small_b[Columns][2];
#pragma unroll
  for (int i = 0; i < Rows; ++i) split(a[i], small_a[i]);
#pragma unroll
  for (int j = 0; j < Columns; ++j) split(b[j], small_b[j]);
  if (math == MathMode::f32) {
    mma_tf32(sums, small_a, b);
    mma_tf32(sums, a, small_b);
  }
  mma_tf32(sums, a, b);
}

/// sums += the product of the calling warp's rows and columns over depths [begin, end): whole slices are computed, so
/// the sources must be zero from `end` on. Uses Tile::kSize.shared_bytes() of dynamic shared memory, once per kernel.
template <class T, TileKind kind, Contiguous along_a, Contiguous along_b, class SourceA, class SourceB>
__device__ __forceinline__ void multiply_slices(
    const Loader<T, along_a, tile_size(kind).rows, tile_size(kind).threads(), SourceA>& a,
    const Loader<T, along_b, tile_size(kind).columns, tile_size(kind).threads(), SourceB>& b, int begin, int end,
    MathMode math, typename Tile<kind>::Sums& sums) {
  constexpr TileSize kSize = tile_size(kind);
  constexpr int kDepth = Slice<T>::kDepth, kStage = kSize.stage_bytes() / int(sizeof(T));
  T* const shared = dynamic_shared<T>();
  const auto slice_a = [&](int stage) { return shared + stage * kStage; };
  const auto slice_b = [&](int stage) { return shared + stage * kStage + kSize.rows * kDepth; };
  const auto start = [&](int stage, int k) {
    if (k < end) {
      a.start(slice_a(stage), k);
      b.start(slice_b(stage), k);
    }
    cp_async_commit();  // also an empty group: what is waited for below is counted in groups
  };
#pragma unroll
  for (int stage = 0; stage < kSize.stages - 1; ++stage) start(stage, begin + stage * kDepth);

  int stage = 0;
  for (int k = begin; k < end; k += kDepth) {
    cp_async_wait<kSize.stages - 2>();
    __syncthreads();  // this slice is there for all, and all have left the one before, whose stage is filled next
    start(stage == 0 ? kSize.stages - 1 : stage - 1, k + (kSize.stages - 1) * kDepth);
#pragma unroll
    for (int step = 0; step < Slice<T>::kSteps; ++step) {
      constexpr int kRows = Tile<kind>::kFragmentRows, kColumns = Tile<kind>::kFragmentColumns;
      uint32_t fragments_a[kRows][4], fragments_b[kColumns][2];
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
        load_fragment<T, along_a, kSize.rows, Side::a>(fragments_a[i], slice_a(stage), Tile<kind>::warp_row() + 16 * i,
                                                       step);
      }
#pragma unroll
      for (int j = 0; j < kColumns; j += 2) {
        uint32_t both[4];
        load_fragment<T, along_b, kSize.columns, Side::b>(both, slice_b(stage), Tile<kind>::warp_column() + 8 * j,
                                                          step);
        fragments_b[j][0] = both[0], fragments_b[j][1] = both[1];
        fragments_b[j + 1][0] = both[2], fragments_b[j + 1][1] = both[3];
      }
      multiply(sums, fragments_a, fragments_b, math, T{});
    }
    stage = stage + 1 == kSize.stages ? 0 : stage + 1;
  }
}

/// Two neighbours of a row, at column c of `columns`, as T; `pairs`: rows begin on an even element, aligned to two.
template <class T>
__device__ __forceinline__ void store_pair(T* row, int c, int columns, bool pairs, float v0, float v1) {
  struct alignas(2 * sizeof(T)) Pair {
    T first, second;
  };
  if (pairs && c < columns) {
    *reinterpret_cast<Pair*>(row + c) = {narrow<T>(v0), narrow<T>(v1)};
    return;
  }
  if (c < columns) row[c] = narrow<T>(v0);
  if (c + 1 < columns) row[c + 1] = narrow<T>(v1);
}
/// The host's side of that.
template <class T>
bool stores_pairs(const T* out, int64_t columns) {
  return columns % 2 == 0 && reinterpret_cast<uintptr_t>(out) % (2 * sizeof(T)) == 0;
}
/// True if chunks of T may be copied whole from `from`, whose contiguous runs of elements are `run` long.
template <class T, class Element>
bool copies_chunks(const Element* from, int64_t run) {
  return run % Slice<T>::kChunk == 0 && reinterpret_cast<uintptr_t>(from) % 16 == 0;
}

/// Calls body.template operator()<kind>().
template <class Body>
void for_tile(TileKind kind, Body&& body) {
  switch (kind) {
    case TileKind::large:
      return body.template operator()<TileKind::large>();
    case TileKind::medium:
      return body.template operator()<TileKind::medium>();
    case TileKind::narrow:
      return body.template operator()<TileKind::narrow>();
    case TileKind::flat:
      return body.template operator()<TileKind::flat>();
  }
}

/// Calls body.template operator()<T, W>() with the types of activations and weights.
template <class Body>
void for_product_types(DType activations, DType weights, Body&& body) {
  for_float_type(activations, [&]<class T>() {
    if (weights == DType::f32) return body.template operator()<T, float>();
    body.template operator()<T, T>();
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
