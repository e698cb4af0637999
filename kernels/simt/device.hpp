#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>

/// A function whose loads and stores the emulator does not check: it works on the host's memory, or says itself what it
/// touches.
#define ASCORE_UNCHECKED __attribute__((no_sanitize("thread", "alignment")))

/// The CUDA device language for a host compiler: what a kernel's source may use besides C++. Threads of a block are
/// fibers (runtime.hpp); each name behaves as the CUDA C++ programming guide says.
#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

namespace ascore::kernels::simt {

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

// Set by the scheduler whenever it resumes a thread.
extern constinit thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

/// All threads of the block arrive before any goes on. An error if one leaves the kernel without arriving.
void __syncthreads();

/// Rendezvous of the lanes in `mask`: `mine` (size bytes, at most 16) of every lane is gathered into `all`, a table of
/// 32 slots of 16 bytes. Every named lane must call it with the same mask and size.
void warp_exchange(unsigned mask, const void* mine, unsigned size, unsigned char (*all)[16]);
/// Index of the calling thread in its warp, in the block's linear order.
unsigned lane_index();

/// Rendezvous that also orders the lanes' accesses to memory; the exchanges do not.
void __syncwarp(unsigned mask = 0xffffffffu);

template <class T>
T shuffle_from(unsigned mask, T value, unsigned source) {
  static_assert(std::is_trivially_copyable_v<T> && sizeof(T) <= 16);
  unsigned char all[32][16];
  warp_exchange(mask, &value, sizeof(T), all);
  T result;
  std::memcpy(&result, all[source], sizeof(T));
  return result;
}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
  const unsigned lane = lane_index();
  return shuffle_from(mask, value, (lane & ~unsigned(width - 1)) | (unsigned(source) & unsigned(width - 1)));
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int lanes, int width = 32) {
  const unsigned lane = lane_index(), source = lane ^ unsigned(lanes);
  return shuffle_from(mask, value, (source & ~unsigned(width - 1)) > (lane & ~unsigned(width - 1)) ? lane : source);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned lane = lane_index(), inside = lane & unsigned(width - 1);
  return shuffle_from(mask, value, inside + delta < unsigned(width) ? lane + delta : lane);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned delta, int width = 32) {
  const unsigned lane = lane_index(), inside = lane & unsigned(width - 1);
  return shuffle_from(mask, value, inside >= delta ? lane - delta : lane);
}
/// One bit per lane of the mask whose predicate is true.
inline unsigned __ballot_sync(unsigned mask, int predicate) {
  unsigned char all[32][16];
  const int flag = predicate != 0;
  warp_exchange(mask, &flag, sizeof flag, all);
  unsigned bits = 0;
  for (unsigned lane = 0; lane < 32; ++lane) {
    if (!(mask >> lane & 1u)) continue;
    int other;
    std::memcpy(&other, all[lane], sizeof other);
    bits |= unsigned(other) << lane;
  }
  return bits;
}
inline int __any_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) != 0;
}
inline int __all_sync(unsigned mask, int predicate) {
  return __ballot_sync(mask, predicate) == mask;
}

/// Tells the access checks of an atomic update.
void note_atomic(const void* address, size_t bytes);

// Fibers of a block take turns on one host thread and switch at barriers only: a plain update is atomic.
template <class T, class Update>
ASCORE_UNCHECKED T atomic_update(T* address, Update update) {
  note_atomic(address, sizeof(T));
  const T old = *address;
  *address = update(old);
  return old;
}
template <class T>
T atomicAdd(T* address, T value) {
  return atomic_update(address, [value](T old) { return old + value; });
}
template <class T>
T atomicMax(T* address, T value) {
  return atomic_update(address, [value](T old) { return old < value ? value : old; });
}
template <class T>
T atomicMin(T* address, T value) {
  return atomic_update(address, [value](T old) { return value < old ? value : old; });
}
template <class T>
T atomicExch(T* address, T value) {
  return atomic_update(address, [value](T) { return value; });
}
template <class T>
T atomicCAS(T* address, T expected, T value) {
  return atomic_update(address, [expected, value](T old) { return old == expected ? value : old; });
}

inline void __threadfence() {}
inline float rsqrtf(float x) {
  return 1.0f / std::sqrt(x);
}
template <class T>
T __ldg(const T* address) {
  return *address;
}
template <class T>
T min(T a, T b) {
  return b < a ? b : a;
}
template <class T>
T max(T a, T b) {
  return a < b ? b : a;
}

struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w) {
  return {x, y, z, w};
}
inline float2 make_float2(float x, float y) {
  return {x, y};
}

}  // namespace ascore::kernels::simt
