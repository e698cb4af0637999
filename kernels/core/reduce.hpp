#pragma once

#include "kernels/core/backend.hpp"
#include "kernels/core/shared_memory.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

inline constexpr unsigned kFullWarp = 0xffffffffu;
inline constexpr int kWarpSize = 32;

/// Combines `value` over the 32 lanes of a full warp by a butterfly: a fixed tree, the same result in every lane.
template <class T, class Combine>
__device__ __forceinline__ T warp_reduce(T value, Combine combine) {
  for (int offset = kWarpSize / 2; offset > 0; offset /= 2) {
    value = combine(value, __shfl_xor_sync(kFullWarp, value, offset));
  }
  return value;
}

/// Combines `value` over all `Threads` threads of the block (a multiple of 32, at most 1024; one-dimensional) in a
/// fixed order; every thread gets the result. `scratch` holds Threads/32 elements of shared memory and is free for
/// reuse on return: the call ends in a barrier. `identity` leaves any value unchanged.
template <int Threads, class T, class Combine>
__device__ __forceinline__ T block_reduce(T value, T identity, T* scratch, Combine combine) {
  static_assert(Threads % kWarpSize == 0 && Threads <= 1024);
  constexpr int warps = Threads / kWarpSize;
  value = warp_reduce(value, combine);
  if (threadIdx.x % kWarpSize == 0) scratch[threadIdx.x / kWarpSize] = value;
  __syncthreads();
  const int lane = threadIdx.x % kWarpSize;
  value = warp_reduce(lane < warps ? scratch[lane] : identity, combine);
  __syncthreads();
  return value;
}

/// block_reduce with +.
template <int Threads, class T>
__device__ __forceinline__ T block_sum(T value, T* scratch) {
  return block_reduce<Threads>(value, T(0), scratch, [](T a, T b) { return a + b; });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
