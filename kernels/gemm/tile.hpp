#pragma once

#include "kernels/core/kernel.hpp"

/// The building block of every product on the device: one block of 256 threads computes a 64 x 64 tile of
/// C[m,n] = sum_k A[m,k] B[n,k], each thread 4 x 4 of it in registers, from slices of 16 k in shared memory. Where the
/// operands come from (a matrix, the shifted pixels of a convolution) is the business of two loader functions, so that
/// a convolution needs no unrolled copy of its input. Every element is summed in the order of k: results depend on
/// neither the grid nor the number of rows.
namespace ascore::kernels::ASCORE_BACKEND {

inline constexpr int kTile = 64;       ///< rows and columns of C that a block computes
inline constexpr int kTileDepth = 16;  ///< k per step
inline constexpr int kTileThreads = 256;
inline constexpr int kTilePitch = kTile + 4;  ///< keeps float4 alignment and spreads the stores over the banks

/// How neighbouring threads walk an operand's 64 x 16 slice: along whichever dimension is contiguous in memory.
enum class Walk { depth, rows };

/// The four elements (e = 0..3) of a slice that the calling thread loads.
template <Walk walk>
__device__ __forceinline__ int share_row(int e) {
  return walk == Walk::depth ? int(threadIdx.x) / kTileDepth + kTile / 4 * e : int(threadIdx.x) % kTile;
}
template <Walk walk>
__device__ __forceinline__ int share_depth(int e) {
  return walk == Walk::depth ? int(threadIdx.x) % kTileDepth : int(threadIdx.x) / kTile + kTileDepth / 4 * e;
}

/// sum[i][j] += the products over k in [begin, end) for row tile_row(i) and column tile_column(j) of the tile. `a(e,
/// k)` and `b(e, k)` return, as f32, the operand's element at row share_row<walk>(e) and depth k; 0 outside its matrix.
template <Walk walk_a, Walk walk_b, class LoadA, class LoadB>
__device__ __forceinline__ void multiply_tile(int begin, int end, const LoadA& a, const LoadB& b, float (&sum)[4][4]) {
  float* const slice_a = shared_array<float, kTileDepth * kTilePitch, struct SliceA>();
  float* const slice_b = shared_array<float, kTileDepth * kTilePitch, struct SliceB>();
  const int m = threadIdx.x / 16 * 4, n = threadIdx.x % 16 * 4;
  for (int start = begin; start < end; start += kTileDepth) {
#pragma unroll
    for (int e = 0; e < 4; ++e) {
      const int ka = share_depth<walk_a>(e), kb = share_depth<walk_b>(e);
      slice_a[ka * kTilePitch + share_row<walk_a>(e)] = start + ka < end ? a(e, start + ka) : 0.0f;
      slice_b[kb * kTilePitch + share_row<walk_b>(e)] = start + kb < end ? b(e, start + kb) : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTileDepth; ++k) {
      const float4 va = *reinterpret_cast<const float4*>(slice_a + k * kTilePitch + m);
      const float4 vb = *reinterpret_cast<const float4*>(slice_b + k * kTilePitch + n);
      const float fa[4] = {va.x, va.y, va.z, va.w}, fb[4] = {vb.x, vb.y, vb.z, vb.w};
#pragma unroll
      for (int i = 0; i < 4; ++i) {
#pragma unroll
        for (int j = 0; j < 4; ++j) sum[i][j] = fmaf(fa[i], fb[j], sum[i][j]);
      }
    }
    __syncthreads();
  }
}

/// Row and column of sum[i][j] inside the tile.
__device__ __forceinline__ int tile_row(int i) {
  return int(threadIdx.x) / 16 * 4 + i;
}
__device__ __forceinline__ int tile_column(int j) {
  return int(threadIdx.x) % 16 * 4 + j;
}

/// A weight as products with elements of type T see it: f32 parameters are rounded to bf16 beside bf16 activations.
template <class T, class W>
__device__ __forceinline__ float weight_for(W weight) {
  return widen(narrow<T>(widen(weight)));
}

/// Blocks that cover `rows` x `columns` of C; z: parts that the depth is split into.
inline dim3 tile_grid(int64_t rows, int64_t columns, int parts = 1) {
  return dim3(blocks_for(rows, kTile), blocks_for(columns, kTile), static_cast<unsigned>(parts));
}

/// Depth that one of `parts` parts covers: whole slices.
inline int depth_per_part(int64_t depth, int parts) {
  const int64_t slices = (depth + kTileDepth - 1) / kTileDepth;
  return static_cast<int>((slices + parts - 1) / parts * kTileDepth);
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
