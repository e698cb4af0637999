#pragma once

#include "kernels/core/backend.hpp"

#ifndef __CUDACC__
#include "kernels/simt/runtime.hpp"
#endif

namespace ascore::kernels::ASCORE_BACKEND {

/// N elements of T shared by the block, uninitialised, 16-byte aligned: `float* tile = shared_array<float, 1024>();`.
/// Two arrays of one type and size in one kernel are told apart by a tag: `shared_array<float, 64, struct Rows>()`.
#ifdef __CUDACC__
template <class T, int N, class Tag = void>
__device__ __forceinline__ T* shared_array() {
  __shared__ alignas(16) unsigned char storage[sizeof(T) * N];
  return reinterpret_cast<T*>(storage);
}

/// The dynamic shared memory that launch() was given, as T.
template <class T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(128) unsigned char ascore_dynamic_shared[];
  return reinterpret_cast<T*>(ascore_dynamic_shared);
}
#else
template <class T, int N, class Tag = void>
T* shared_array() {
  static const char key = 0;  // its address names this array
  return static_cast<T*>(shared_slice(&key, sizeof(T) * N, sizeof(T)));
}

template <class T>
T* dynamic_shared() {
  return static_cast<T*>(dynamic_shared_slice(sizeof(T)));
}
#endif

}  // namespace ascore::kernels::ASCORE_BACKEND
