#pragma once

#include "kernels/core/kernel.hpp"
#include "kernels/core/tensor_core.hpp"
#include "kernels/gemm/tiles.hpp"

/// One operand of a product on its way from global memory to tensor-core fragments.
///
/// An operand is seen as a matrix [rows, depth] that a *source* locates element by element; it need not exist in memory
/// (the pixels under the taps of a convolution). A source has
///
///   Element               type in memory; rounded to the product's T where that differs
///   row(r), depth(k)      what one index contributes to an address, computed once for many elements; for an index
///                         outside the matrix something that `at` knows
///   at(row, depth)        the element's address, or null: a zero
///
/// Elements that are neighbours along the source's contiguous index travel in chunks of 16 bytes, asynchronously, if
/// the host found that chunks are aligned and lie inside or outside as a whole; otherwise one by one.
namespace ascore::kernels::ASCORE_BACKEND {

/// The index along which an operand's elements are adjacent in memory.
enum class Contiguous { depth, rows };

template <class T>
struct Slice {
  static constexpr int kChunk = 16 / sizeof(T);                     ///< elements
  static constexpr int kDepth = TileSize::kSliceBytes / sizeof(T);  ///< of one slice
  static constexpr int kSteps = TileSize::kSliceBytes / 32;         ///< tensor-core products along it
};

/// Sixteen bytes of T, as they lie in shared memory.
template <class T>
struct alignas(16) Chunk {
  T values[Slice<T>::kChunk];
};

/// A slice in shared memory, `Rows` rows of the operand: lines along the contiguous index, as lines of chunks, permuted
/// so that neither copies nor fragment loads meet in a bank.
template <class T, Contiguous along, int Rows>
struct SharedSlice {
  static constexpr bool kByDepth = along == Contiguous::depth;
  static constexpr int kLines = kByDepth ? Rows : Slice<T>::kDepth;
  static constexpr int kLineChunks = (kByDepth ? Slice<T>::kDepth : Rows) / Slice<T>::kChunk;

  /// Index, in elements, of chunk `chunk` of line `line`.
  static __device__ __forceinline__ int place(int line, int chunk) {
    return (line * kLineChunks + (chunk ^ twist(line))) * Slice<T>::kChunk;
  }

 private:
  static __device__ __forceinline__ int twist(int line) {
    if constexpr (!kByDepth && sizeof(T) == 4) {
      return line % 4 * 2 % kLineChunks;  // fragments are read word by word: 8 rows (2 chunks) of 4 lines at a time
    } else {
      constexpr int kLinesPerBanks = kLineChunks >= 8 ? 1 : 8 / kLineChunks;  // lines in 128 bytes
      return line / kLinesPerBanks % (kLineChunks < 8 ? kLineChunks : 8);
    }
  }
};

/// Copies the slices of a block's `Rows` rows of an operand to shared memory, all threads of the block together.
template <class T, Contiguous along, int Rows, int Threads, class Source>
class Loader {
  using Shared = SharedSlice<T, along, Rows>;
  using Element = typename Source::Element;
  static constexpr int kChunk = Slice<T>::kChunk;
  static constexpr int kCopies = Shared::kLines * Shared::kLineChunks / Threads;  ///< per thread and slice
  static_assert(kCopies * Threads == Shared::kLines * Shared::kLineChunks && Threads % Shared::kLineChunks == 0);
  static constexpr int kKept = Shared::kByDepth ? kCopies : 1;

 public:
  __device__ __forceinline__ Loader(const Source& source, int first_row, bool chunks)
      : source_(source), first_row_(first_row), chunks_(chunks) {
#pragma unroll
    for (int i = 0; i < kKept; ++i) {
      rows_[i] = source_.row(first_row + (Shared::kByDepth ? line(i) : chunk() * kChunk));
    }
  }

  /// Starts to copy the slice at depths [k, k + Slice::kDepth).
  __device__ __forceinline__ void start(T* slice, int k) const {
    if (chunks_)
      copy_chunks(slice, k);
    else
      copy_elements(slice, k);
  }

 private:
  static __device__ __forceinline__ int chunk() {
    return int(threadIdx.x) % Shared::kLineChunks;
  }
  static __device__ __forceinline__ int line(int copy) {
    return int(threadIdx.x) / Shared::kLineChunks + copy * (Threads / Shared::kLineChunks);
  }

  __device__ __forceinline__ void copy_chunks(T* slice, int k) const {
    const auto fixed = source_.depth(k + chunk() * kChunk);  // by depth: one column of chunks per thread
#pragma unroll
    for (int i = 0; i < kCopies; ++i) {
      const Element* from;
      if constexpr (Shared::kByDepth)
        from = source_.at(rows_[i], fixed);
      else
        from = source_.at(rows_[0], source_.depth(k + line(i)));
      T* const to = slice + Shared::place(line(i), chunk());
      if constexpr (std::is_same_v<Element, T>) {
        cp_async<16>(to, from ? from : source_.base(), from ? 16 : 0);
      } else {
        *reinterpret_cast<Chunk<T>*>(to) = rounded(from);
      }
    }
  }

  /// A chunk of f32 values as bf16.
  static __device__ __forceinline__ Chunk<T> rounded(const Element* from) {
    static_assert(sizeof(Element) == 4 && kChunk == 8);
    Chunk<T> result;
    if (!from) return zeros();
    const float4 low = reinterpret_cast<const float4*>(from)[0], high = reinterpret_cast<const float4*>(from)[1];
    const float values[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
#pragma unroll
    for (int e = 0; e < kChunk; ++e) result.values[e] = narrow<T>(values[e]);
    return result;
  }
  static __device__ __forceinline__ Chunk<T> zeros() {
    Chunk<T> result;
#pragma unroll
    for (int e = 0; e < kChunk; ++e) result.values[e] = narrow<T>(0.0f);
    return result;
  }

  __device__ __forceinline__ void copy_elements(T* slice, int k) const {
#pragma unroll 1
    for (int i = 0; i < kCopies; ++i) {
      Chunk<T> values;
#pragma unroll
      for (int e = 0; e < kChunk; ++e) {
        const Element* from;
        if constexpr (Shared::kByDepth)
          from = source_.at(source_.row(first_row_ + line(i)), source_.depth(k + chunk() * kChunk + e));
        else
          from = source_.at(source_.row(first_row_ + chunk() * kChunk + e), source_.depth(k + line(i)));
        values.values[e] = narrow<T>(from ? widen(*from) : 0.0f);
      }
      *reinterpret_cast<Chunk<T>*>(slice + Shared::place(line(i), chunk())) = values;
    }
  }

  const Source& source_;
  int first_row_;
  bool chunks_;
  typename Source::Row rows_[kKept];
};

/// Which operand of mma a fragment is: they differ in the order of the four 8-row, 16-byte quarters of 16 rows.
enum class Side { a, b };

/// The fragment of 16 rows from `first_row` at tensor-core step `step` of a slice. Side::a: one operand a of mma;
/// Side::b: the operands b of columns 0-7 and 8-15, one after the other.
template <class T, Contiguous along, int Rows, Side side>
__device__ __forceinline__ void load_fragment(uint32_t (&registers)[4], const T* slice, int first_row, int step) {
  using Shared = SharedSlice<T, along, Rows>;
  constexpr int kChunk = Slice<T>::kChunk;
  const int lane = int(threadIdx.x) % 32;
  const auto row_half = [](int quarter) { return side == Side::a ? quarter % 2 : quarter / 2; };
  const auto depth_half = [](int quarter) { return side == Side::a ? quarter / 2 : quarter % 2; };
  const int quarter = lane / 8, index = lane % 8;
  if constexpr (along == Contiguous::depth) {
    ldmatrix<4>(registers,
                slice + Shared::place(first_row + 8 * row_half(quarter) + index, 2 * step + depth_half(quarter)));
  } else if constexpr (sizeof(T) == 2) {
    const int k = 16 * step + 8 * depth_half(quarter) + index;
    ldmatrix<4, true>(registers, slice + Shared::place(k, first_row / kChunk + row_half(quarter)));
  } else {
    // ldmatrix transposes elements of 16 bits only.
#pragma unroll
    for (int q = 0; q < 4; ++q) {
      const int k = 8 * step + 4 * depth_half(q) + lane % 4, row = first_row + 8 * row_half(q) + lane / 4;
      registers[q] = reinterpret_cast<const uint32_t*>(slice)[Shared::place(k, row / kChunk) + row % kChunk];
    }
  }
}

}  // namespace ascore::kernels::ASCORE_BACKEND
