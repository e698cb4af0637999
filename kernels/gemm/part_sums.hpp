#pragma once

#include "kernels/core/kernel.hpp"
#include "kernels/gemm/tiles.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

inline constexpr int kPartThreads = 256;
inline constexpr int kPartColumns = 32;  ///< columns that a block of column_sum_kernel sums, one per lane

/// out[i] = sum over p of parts[p][i], in the order of p.
template <class Acc>
__global__ void add_parts_kernel(const Acc* parts, int count_parts, int64_t count, Acc* out) {
  const int64_t i = int64_t(blockIdx.x) * kPartThreads + threadIdx.x;
  if (i >= count) return;
  Acc sum = 0;
  for (int p = 0; p < count_parts; ++p) sum += parts[p * count + i];
  out[i] = sum;
}

/// parts[part][c] = sum of rows[r][c] over the part's rows. Warp w takes every eighth row, then the warps are added.
template <class T>
__global__ void column_sum_kernel(const T* rows, int64_t count, int columns, int64_t per_part, float* parts) {
  constexpr int kWarps = kPartThreads / kPartColumns;
  float* const sums = shared_array<float, kPartThreads>();
  const int lane = threadIdx.x % kPartColumns, warp = threadIdx.x / kPartColumns;
  const int column = int(blockIdx.x) * kPartColumns + lane;
  const int64_t begin = blockIdx.y * per_part;
  const int64_t end = begin + per_part < count ? begin + per_part : count;
  float sum = 0;
  if (column < columns) {
    for (int64_t r = begin + warp; r < end; r += kWarps) sum += widen(rows[r * columns + column]);
  }
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (warp != 0 || column >= columns) return;
  float total = 0;
  for (int w = 0; w < kWarps; ++w) total += sums[w * kPartColumns + lane];
  parts[int64_t(blockIdx.y) * columns + column] = total;
}

template <class Acc>
void add_parts(Stream& stream, const Acc* parts, int count_parts, int64_t count, Acc* out) {
  launch(add_parts_kernel<Acc>, blocks_for(count, kPartThreads), kPartThreads, 0, stream, parts, count_parts, count,
         out);
}

/// sums[c] = sum over r of rows[r][c]; `workspace` holds column_sum_parts(count) * columns floats.
template <class T>
void column_sum(Stream& stream, const T* rows, int64_t count, int columns, float* sums, float* workspace) {
  const int parts = column_sum_parts(count);
  const dim3 grid(blocks_for(columns, kPartColumns), static_cast<unsigned>(parts));
  launch(column_sum_kernel<T>, grid, kPartThreads, 0, stream, rows, count, columns, (count + parts - 1) / parts,
         workspace);
  add_parts(stream, workspace, parts, int64_t(columns), sums);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
