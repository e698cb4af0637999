#pragma once

#include "kernels/activation/device_math.hpp"
#include "kernels/core/exact_f32.hpp"
#include "kernels/core/run_moments_device.hpp"
#include "kernels/gemm/mainloop.hpp"

/// The way of a product's tile from registers to memory: through shared memory, so that every warp reads and writes
/// whole chunks of neighbouring elements, and one small loop does what is to be done on the way.
namespace ascore::kernels::ASCORE_BACKEND {

/// Up to a chunk of neighbours in a row of a matrix, as f32 on the inside.
template <class T>
struct RowChunk {
  static constexpr int kSize = Slice<T>::kChunk;
  using Values = float[kSize];
  bool whole;  ///< a chunk that is moved by one access; else the first `count` elements, one by one
  int count;

  __device__ __forceinline__ void load(const T* from, Values& values) const {
    if (whole) {
      const Chunk<T> chunk = *reinterpret_cast<const Chunk<T>*>(from);
#pragma unroll
      for (int e = 0; e < kSize; ++e) values[e] = widen(chunk.values[e]);
      return;
    }
#pragma unroll
    for (int e = 0; e < kSize; ++e) values[e] = e < count ? widen(from[e]) : 0.0f;
  }
  __device__ __forceinline__ void store(T* to, const Values& values) const {
    if (whole) {
      Chunk<T> chunk;
#pragma unroll
      for (int e = 0; e < kSize; ++e) chunk.values[e] = narrow<T>(values[e]);
      *reinterpret_cast<Chunk<T>*>(to) = chunk;
      return;
    }
#pragma unroll
    for (int e = 0; e < kSize; ++e) {
      if (e < count) to[e] = narrow<T>(values[e]);
    }
  }
};

/// Adds bias[column], bias[column + 1], ... to a chunk of neighbours.
template <class T>
__device__ __forceinline__ void add_bias(const RowChunk<T>& chunk, const float* bias, int column,
                                         typename RowChunk<T>::Values& values) {
#pragma unroll
  for (int e = 0; e < RowChunk<T>::kSize; ++e) {
    if (e < chunk.count) values[e] += bias[column + e];
  }
}

/// Puts a chunk of values, as T rounds them, into shared memory.
template <class T>
__device__ __forceinline__ void leave_rounded(float* to, const typename RowChunk<T>::Values& values) {
#pragma unroll
  for (int e = 0; e < RowChunk<T>::kSize; e += 4) {
    const auto rounded = [&](int i) { return widen(narrow<T>(values[e + i])); };
    *reinterpret_cast<float4*>(to + e) = make_float4(rounded(0), rounded(1), rounded(2), rounded(3));
  }
}

/// True if chunks may begin at `memory`; also for null, where none will.
inline bool is_chunk_aligned(const void* memory) {
  return reinterpret_cast<uintptr_t>(memory) % 16 == 0;
}

/// out = f(sums + bias + residual), and what f is taken of in `sum`. Absent pointers are null.
template <class T>
struct OutputEpilogue {
  static constexpr bool kMeasures = false;
  const float* bias;
  const T* residual;
  T *sum, *out;
  Activation activation;
  float slope;

  /// `at`: index of the chunk's first element.
  __device__ __forceinline__ void operator()(const RowChunk<T>& chunk, int64_t at, int column,
                                             typename RowChunk<T>::Values& values, float*) const {
    make_sum(chunk, at, column, values);
    make_output(chunk, at, values);
  }
  __device__ __forceinline__ void make_sum(const RowChunk<T>& chunk, int64_t at, int column,
                                           typename RowChunk<T>::Values& values) const {
    if (bias) add_bias(chunk, bias, column, values);
    if (residual) {
      typename RowChunk<T>::Values more;
      chunk.load(residual + at, more);
#pragma unroll
      for (int e = 0; e < RowChunk<T>::kSize; ++e) values[e] += more[e];
    }
    if (sum) chunk.store(sum + at, values);
  }
  __device__ __forceinline__ void make_output(const RowChunk<T>& chunk, int64_t at,
                                              typename RowChunk<T>::Values& values) const {
    for_activation_in_kernel(activation, slope, [&](auto f) {
#pragma unroll
      for (int e = 0; e < RowChunk<T>::kSize; ++e) values[e] = f(values[e]);
    });
    chunk.store(out + at, values);
  }
  bool moves_chunks() const {
    return is_chunk_aligned(residual) && is_chunk_aligned(sum) && is_chunk_aligned(out);
  }
};

/// The same, and the moments of the runs of what f is taken of, as it is rounded.
template <class T>
struct MeasuringEpilogue : OutputEpilogue<T> {
  static constexpr bool kMeasures = true;
  RunMomentsSink runs;

  /// Leaves what is measured in shared memory, at `measured`.
  __device__ __forceinline__ void operator()(const RowChunk<T>& chunk, int64_t at, int column,
                                             typename RowChunk<T>::Values& values, float* measured) const {
    this->make_sum(chunk, at, column, values);
    if (runs.wanted()) leave_rounded<T>(measured, values);
    this->make_output(chunk, at, values);
  }
};

/// out = f'(kept) (sums + bias) + residual.
template <class T>
struct GradientEpilogue {
  static constexpr bool kMeasures = false;
  const float* bias;
  const T *kept, *residual;
  T* out;
  Activation activation;
  float slope;

  __device__ __forceinline__ void operator()(const RowChunk<T>& chunk, int64_t at, int column,
                                             typename RowChunk<T>::Values& values, float*) const {
    constexpr int kSize = RowChunk<T>::kSize;
    if (bias) add_bias(chunk, bias, column, values);
    if (kept) {
      typename RowChunk<T>::Values of;
      chunk.load(kept + at, of);
      for_activation_in_kernel(activation, slope, [&](auto f) {
#pragma unroll
        for (int e = 0; e < kSize; ++e) values[e] = exact::mul(values[e], f.slope(of[e]));
      });
    }
    if (residual) {
      typename RowChunk<T>::Values more;
      chunk.load(residual + at, more);
#pragma unroll
      for (int e = 0; e < kSize; ++e) values[e] = exact::add(values[e], more[e]);
    }
    chunk.store(out + at, values);
  }
  bool moves_chunks() const {
    return is_chunk_aligned(kept) && is_chunk_aligned(residual) && is_chunk_aligned(out);
  }
};

/// A block's tile of sums in the shared memory that its operands have left, as f32 rows whose runs of eight are
/// permuted: neither the eight rows that a warp writes at a time nor a row that it reads meet in a bank.
template <TileKind kind>
struct StagedTile {
  static constexpr TileSize kSize = tile_size(kind);
  static constexpr int kTwists = kSize.columns / 8 < 4 ? kSize.columns / 8 : 4;
  static_assert(kSize.rows * kSize.columns * int(sizeof(float)) <= kSize.shared_bytes());
  float* tile;

  __device__ __forceinline__ float* at(int row, int column) const {
    return tile + row * kSize.columns + (column ^ row % kTwists * 8);
  }
};

/// The moments of the runs of a block's tile, in which store_tile has left what the epilogue made of the sums. All
/// threads of the block.
template <TileKind kind, class Place>
__device__ __forceinline__ void measure_tile(const StagedTile<kind>& staged, int first_column, int columns,
                                             const Place& place, const RunMomentsSink& runs) {
  constexpr TileSize kSize = tile_size(kind);
#pragma unroll 1
  for (int i = int(threadIdx.x); i < (kSize.rows >> runs.log_length) * kSize.columns; i += kSize.threads()) {
    const int first = i / kSize.columns << runs.log_length, column = i % kSize.columns;
    const int64_t row = place(first);
    if (row < 0 || first_column + column >= columns) continue;
    runs.store(row, columns, first_column + column, [&](int r) { return *staged.at(first + r, column); });
  }
}

/// Stores the block's sums, row r of its tile at row `place(r)` (negative: nowhere) of a matrix of `columns` columns,
/// as `epilogue` says. All threads of the block, after multiply_slices.
template <class T, TileKind kind, class Place, class Epilogue>
__device__ __forceinline__ void store_tile(const typename Tile<kind>::Sums& sums, int first_column, int columns,
                                           bool chunks, const Place& place, const Epilogue& epilogue) {
  constexpr TileSize kSize = tile_size(kind);
  constexpr int kChunk = RowChunk<T>::kSize, kRowChunks = kSize.columns / kChunk;
  const StagedTile<kind> staged{dynamic_shared<float>()};
  __syncthreads();  // all have left the last slices
  Tile<kind>::for_pairs(sums, [&](int row, int column, float v0, float v1) {
    *reinterpret_cast<float2*>(staged.at(row, column)) = make_float2(v0, v1);
  });
  __syncthreads();
#pragma unroll 1
  for (int i = int(threadIdx.x); i < kSize.rows * kRowChunks; i += kSize.threads()) {
    const int row = i / kRowChunks, first = i % kRowChunks * kChunk, column = first_column + first;
    const int64_t to = place(row);
    if (to < 0 || column >= columns) continue;
    typename RowChunk<T>::Values values;
    float* const from = staged.at(row, first);
#pragma unroll
    for (int e = 0; e < kChunk; e += 4) {
      const float4 four = *reinterpret_cast<const float4*>(from + e);
      values[e] = four.x, values[e + 1] = four.y, values[e + 2] = four.z, values[e + 3] = four.w;
    }
    const int left = columns - column;
    epilogue(RowChunk<T>{chunks, left < kChunk ? left : kChunk}, to * columns + column, column, values, from);
  }
  if constexpr (Epilogue::kMeasures) {
    __syncthreads();
    measure_tile(staged, first_column, columns, place, epilogue.runs);
  }
}

}  // namespace ascore::kernels::ASCORE_BACKEND
