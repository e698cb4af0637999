#pragma once

#include "kernels/gemm/mainloop.hpp"

/// The one kernel that all passes of attention are: every row r of an image gets a weighted sum over its columns c,
///
///   out[r] = sum over c of w(r,c) values[c],    w computed from  score = a[r].b[c]  and  slope = e[r].f[c]
///
/// (y: rows are queries, columns keys, values v; dv: rows are keys, columns queries, values dy; and so on.) A block
/// takes 64 rows and 64 or 128 elements of out, each of its warps 16 rows. For 64 columns at a time the scores are a
/// product on tensor cores, whose sums a warp turns into weights where they are, in registers: they are the left
/// operand of the second product. What the products read is one queue of slices, copied asynchronously, several ahead.
namespace ascore::kernels::ASCORE_BACKEND {

struct WeightedSumTile {
  static constexpr int kRows = 64, kColumns = 64, kThreads = 128, kStages = 4;
  static constexpr int kStageBytes = (kRows + kColumns) * TileSize::kSliceBytes;
  static constexpr int kSharedBytes = kStages * kStageBytes;
  static constexpr int kPart = 64;  ///< elements of out that one product computes
  static_assert(kThreads / 32 * 16 == kRows && kPart == kColumns);

  /// Elements of out that a block takes: with scores, slopes and operands of f32, sums of 128 leave no register free.
  template <class T, bool slopes>
  static constexpr int kWidth = slopes && sizeof(T) == 4 ? 64 : 128;
};

/// A warp's 16 rows of 64 columns, as mma has its sums: 32 columns per product, whose operands are few enough for
/// registers.
using RowSums = float[WeightedSumTile::kColumns / 32][1][4][4];
/// Columns [8j, 8j + 8) of sums.
__device__ __forceinline__ float (&eight(RowSums& sums, int j))[4] {
  return sums[j / 4][0][j % 4];
}
__device__ __forceinline__ const float (&eight(const RowSums& sums, int j))[4] {
  return sums[j / 4][0][j % 4];
}

/// Rows [rows, depth] and columns [columns, depth] of every image, whose products are wanted. A pitch counts the
/// elements from one row of memory to the next.
template <class T>
struct Factors {
  const T *rows = nullptr, *columns = nullptr;
  int row_pitch = 0, column_pitch = 0;
  int depth = 0;
  bool chunks = false;  ///< both may be copied in chunks
};

template <class T>
struct WeightedSum {
  Factors<T> scores, slopes;
  const T* values;  ///< [columns, width] of every image
  T* out;           ///< [rows, width] of every image
  int value_pitch, out_pitch;
  int rows, columns, width;
  float scale;
  bool value_chunks, pairs;
};

/// Where a thread works: its block's image, rows and elements, and the rows and columns of its sums.
struct WeightedSumPlace {
  int64_t image;
  int first_row, first_element;  ///< of the block
  int row;                       ///< the thread's first row

  /// Blocks take `width` elements each.
  template <class T>
  __device__ __forceinline__ WeightedSumPlace(const WeightedSum<T>& in, int width) {
    using Tile = WeightedSumTile;
    const int chunks = (in.width + width - 1) / width, tiles = (in.rows + Tile::kRows - 1) / Tile::kRows;
    const int block = int(blockIdx.x), tile = block / chunks;
    image = tile / tiles;
    first_row = tile % tiles * Tile::kRows;
    first_element = block % chunks * width;
    row = first_row + int(threadIdx.x) / 32 * 16 + int(threadIdx.x) % 32 / 4;
  }
  /// Row of sums [..][2 half] and [..][2 half + 1].
  __device__ __forceinline__ int row_of(int half) const { return row + 8 * half; }
  /// Column of sums [j][e] and [j][2 + e], in a tile that begins at `first_column`.
  static __device__ __forceinline__ int column_of(int first_column, int j, int e) {
    return first_column + 8 * j + int(threadIdx.x) % 4 * 2 + e;
  }
};

/// Order of an operand's depths. `fragments`: as a thread has them in its sums, columns 2t and 2t+1, where a tf32
/// operand wants t and t+4 (bf16 sums are in the operand's order).
enum class DepthOrder { memory, fragments };

/// A matrix of one image as a source of kernels/gemm/operand.hpp, by its two pitches: fewer than 2^31 elements.
template <class T, DepthOrder order>
struct ImageSource {
  using Element = T;
  using Row = int;  ///< offset, or negative outside
  using Depth = int;
  const T* matrix;
  int row_pitch, depth_pitch, row_count, depth_count;

  __device__ __forceinline__ const T* base() const { return matrix; }
  __device__ __forceinline__ Row row(int r) const { return r < row_count ? r * row_pitch : -1; }
  __device__ __forceinline__ Depth depth(int k) const {
    if constexpr (order == DepthOrder::fragments && sizeof(T) == 4) k = k / 8 * 8 + k % 4 * 2 + k % 8 / 4;
    return k < depth_count ? k * depth_pitch : -1;
  }
  __device__ __forceinline__ const T* at(Row row, Depth depth) const {
    return (row | depth) < 0 ? nullptr : matrix + (row + depth);
  }
};

/// The slices that a block reads, in order: for every 64 columns those of the scores' factors, those of the slopes',
/// and those of the values.
template <class T, int Width>
class SliceQueue {
  using Tile = WeightedSumTile;
  static constexpr int kDepth = Slice<T>::kDepth, kStage = Tile::kStageBytes / int(sizeof(T));

 public:
  static constexpr int kValueSlices = Tile::kColumns / kDepth;

  __device__ __forceinline__ SliceQueue(const WeightedSum<T>& in, const WeightedSumPlace& place)
      : in_(in), place_(place), shared_(dynamic_shared<T>()) {
#pragma unroll 1
    for (int stage = 0; stage < Tile::kStages - 1; ++stage) start(stage);
  }
  static __device__ __forceinline__ int slices(const Factors<T>& factors) {
    return (factors.depth + kDepth - 1) / kDepth;
  }
  /// The next slice, until the next call. All threads of the block together.
  __device__ __forceinline__ const T* next() {
    cp_async_wait<Tile::kStages - 2>();
    __syncthreads();  // this slice is there for all, and all have left the one before, whose stage is filled next
    start(stage_ == 0 ? Tile::kStages - 1 : stage_ - 1);
    const T* const slice = shared_ + stage_ * kStage;
    stage_ = stage_ + 1 == Tile::kStages ? 0 : stage_ + 1;
    return slice;
  }

 private:
  __device__ __forceinline__ void start(int stage) {
    if (column_ < in_.columns) {
      T* const to = shared_ + stage * kStage;
      const int scores = slices(in_.scores), products = scores + slices(in_.slopes);
      if (slice_ < products) {
        // Chosen member by member: a reference to one of the two would put both on the stack.
        const bool first = slice_ < scores;
        const Factors<T> factors{first ? in_.scores.rows : in_.slopes.rows,
                                 first ? in_.scores.columns : in_.slopes.columns,
                                 first ? in_.scores.row_pitch : in_.slopes.row_pitch,
                                 first ? in_.scores.column_pitch : in_.slopes.column_pitch,
                                 first ? in_.scores.depth : in_.slopes.depth,
                                 first ? in_.scores.chunks : in_.slopes.chunks};
        start_factors(factors, to, (first ? slice_ : slice_ - scores) * kDepth);
      } else {
        start_values(to, column_ + (slice_ - products) * kDepth);
      }
      if (++slice_ == products + kValueSlices) {
        slice_ = 0;
        column_ += Tile::kColumns;
      }
    }
    cp_async_commit();  // also an empty group: what is waited for is counted in groups
  }
  __device__ __forceinline__ void start_factors(const Factors<T>& f, T* to, int k) {
    using Source = ImageSource<T, DepthOrder::memory>;
    const Source rows{f.rows + place_.image * in_.rows * f.row_pitch, f.row_pitch, 1, in_.rows, f.depth};
    const Source columns{f.columns + place_.image * in_.columns * f.column_pitch, f.column_pitch, 1, in_.columns,
                         f.depth};
    Loader<T, Contiguous::depth, Tile::kRows, Tile::kThreads, Source>(rows, place_.first_row, f.chunks).start(to, k);
    Loader<T, Contiguous::depth, Tile::kColumns, Tile::kThreads, Source>(columns, column_, f.chunks)
        .start(to + Tile::kRows * kDepth, k);
  }
  __device__ __forceinline__ void start_values(T* to, int k) {
    using Source = ImageSource<T, DepthOrder::fragments>;
    const Source values{in_.values + place_.image * in_.columns * in_.value_pitch, 1, in_.value_pitch, in_.width,
                        in_.columns};
    Loader<T, Contiguous::rows, Width, Tile::kThreads, Source>(values, place_.first_element, in_.value_chunks)
        .start(to, k);
  }

  const WeightedSum<T>& in_;
  const WeightedSumPlace& place_;
  T* const shared_;
  int column_ = 0, slice_ = 0;  ///< what is started next
  int stage_ = 0;               ///< what is read next
};

/// sums += a b, where the operands b are 64 columns from `first_row` of a slice.
template <class T, Contiguous along, int Rows>
__device__ __forceinline__ void multiply_columns(RowSums& sums, const uint32_t (&a)[4], const T* slice, int first_row,
                                                 int step, MathMode math) {
#pragma unroll
  for (int group = 0; group < WeightedSumTile::kColumns / 32; ++group) {
    uint32_t left[1][4], right[4][2];
#pragma unroll
    for (int q = 0; q < 4; ++q) left[0][q] = a[q];
#pragma unroll
    for (int j = 0; j < 4; j += 2) {
      uint32_t both[4];
      load_fragment<T, along, Rows, Side::b>(both, slice, first_row + 32 * group + 8 * j, step);
      right[j][0] = both[0], right[j][1] = both[1];
      right[j + 1][0] = both[2], right[j + 1][1] = both[3];
    }
    multiply(sums[group], left, right, math, T{});
  }
}

/// The warp's products of rows and columns: all slices of `factors`.
template <class T, int Width>
__device__ __forceinline__ void multiply_factors(SliceQueue<T, Width>& queue, const Factors<T>& factors, MathMode math,
                                                 RowSums& sums) {
  using Tile = WeightedSumTile;
#pragma unroll
  for (int j = 0; j < Tile::kColumns / 8; ++j) {
#pragma unroll
    for (int e = 0; e < 4; ++e) eight(sums, j)[e] = 0;
  }
  for (int i = 0; i < SliceQueue<T, Width>::slices(factors); ++i) {
    const T* const slice = queue.next();
#pragma unroll
    for (int step = 0; step < Slice<T>::kSteps; ++step) {
      uint32_t a[4];
      load_fragment<T, Contiguous::depth, Tile::kRows, Side::a>(a, slice, int(threadIdx.x) / 32 * 16, step);
      multiply_columns<T, Contiguous::depth, Tile::kColumns>(sums, a, slice + Tile::kRows * Slice<T>::kDepth, 0, step,
                                                             math);
    }
  }
}

/// Step `step` of the weights' columns as operand a.
__device__ __forceinline__ void weight_fragment(uint32_t (&a)[4], const RowSums& weights, int step, float) {
  const float(&w)[4] = eight(weights, step);
  a[0] = std::bit_cast<uint32_t>(w[0]), a[1] = std::bit_cast<uint32_t>(w[2]);
  a[2] = std::bit_cast<uint32_t>(w[1]), a[3] = std::bit_cast<uint32_t>(w[3]);
}
__device__ __forceinline__ void weight_fragment(uint32_t (&a)[4], const RowSums& weights, int step, bf16) {
#pragma unroll
  for (int q = 0; q < 4; ++q) {
    const float(&w)[4] = eight(weights, 2 * step + q / 2);
    a[q] = uint32_t(narrow<bf16>(w[q % 2 * 2]).bits) | uint32_t(narrow<bf16>(w[q % 2 * 2 + 1]).bits) << 16;
  }
}

/// The warp's elements of out.
template <int Width>
using OutSums = RowSums[Width / WeightedSumTile::kPart];

/// out += weights values: the value slices of one tile of columns. `width`: elements of out that there are.
template <class T, int Width>
__device__ __forceinline__ void add_values(SliceQueue<T, Width>& queue, const RowSums& weights, int width,
                                           MathMode math, OutSums<Width>& out) {
  using Tile = WeightedSumTile;
#pragma unroll
  for (int i = 0; i < SliceQueue<T, Width>::kValueSlices; ++i) {
    const T* const slice = queue.next();
#pragma unroll
    for (int step = 0; step < Slice<T>::kSteps; ++step) {
#pragma unroll
      for (int part = 0; part < Width / Tile::kPart; ++part) {
        if (part * Tile::kPart >= width) break;
        uint32_t a[4];
        weight_fragment(a, weights, i * Slice<T>::kSteps + step, T{});
        multiply_columns<T, Contiguous::rows, Width>(out[part], a, slice, part * Tile::kPart, step, math);
      }
    }
  }
}

/// `Weigh` turns scores (and slopes) into weights, may rescale what is summed so far, and finishes the sums:
///
///   static constexpr bool kSlopes                                              whether it looks at slopes
///   void begin(in, place)
///   void weigh(in, place, first_column, scores, slopes, out)                   scores become weights, 0 outside
///   void finish(in, place, out)
template <class T, class Weigh>
__global__ void __launch_bounds__(WeightedSumTile::kThreads)
    weighted_sum_kernel(WeightedSum<T> in, Weigh weigh, MathMode math) {
  using Tile = WeightedSumTile;
  constexpr int Width = Tile::kWidth<T, Weigh::kSlopes>;
  const WeightedSumPlace place(in, Width);
  SliceQueue<T, Width> queue(in, place);
  OutSums<Width> out = {};
  weigh.begin(in, place);
  for (int column = 0; column < in.columns; column += Tile::kColumns) {
    RowSums scores, slopes;
    multiply_factors(queue, in.scores, math, scores);
    if constexpr (Weigh::kSlopes) multiply_factors(queue, in.slopes, math, slopes);
    weigh.weigh(in, place, column, scores, slopes, out);
    add_values(queue, scores, in.width - place.first_element, math, out);
  }
  weigh.finish(in, place, out);
#pragma unroll
  for (int part = 0; part < Width / Tile::kPart; ++part) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      if (place.row_of(half) >= in.rows) continue;
      T* const row = in.out + (place.image * in.rows + place.row_of(half)) * in.out_pitch;
#pragma unroll
      for (int j = 0; j < Tile::kPart / 8; ++j) {
        const int element = WeightedSumPlace::column_of(place.first_element + part * Tile::kPart, j, 0);
        const float(&sums)[4] = eight(out[part], j);
        store_pair(row, element, in.width, in.pairs, sums[2 * half], sums[2 * half + 1]);
      }
    }
  }
}

template <class T, class Weigh>
void weighted_sum(Stream& stream, int64_t images, WeightedSum<T> in, const Weigh& weigh, MathMode math) {
  using Tile = WeightedSumTile;
  const auto finish = [&](Factors<T>& f) {
    f.chunks = copies_chunks<T>(f.rows, f.row_pitch) && copies_chunks<T>(f.columns, f.column_pitch) &&
               copies_chunks<T>(f.rows, f.depth);
  };
  finish(in.scores);
  finish(in.slopes);
  in.value_chunks = copies_chunks<T>(in.values, in.value_pitch) && copies_chunks<T>(in.values, in.width);
  in.pairs = stores_pairs(in.out, in.out_pitch) && stores_pairs(in.out, in.width);
  const int64_t blocks =
      images * tiles_along(in.rows, Tile::kRows) * tiles_along(in.width, Tile::kWidth<T, Weigh::kSlopes>);
  launch(weighted_sum_kernel<T, Weigh>, dim3(static_cast<unsigned>(blocks)), Tile::kThreads, Tile::kSharedBytes, stream,
         in, weigh, math);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
