#pragma once

#include "kernels/core/stream.hpp"

#include <cuda_runtime.h>

namespace ascore::kernels::cuda {

/// Throws DeviceError (OutOfMemoryError for cudaErrorMemoryAllocation): the call, CUDA's words, the running operation.
[[noreturn]] void throw_cuda_error(cudaError_t error, const char* call, const Stream* stream);

inline void check(cudaError_t error, const char* call, const Stream& stream) {
  if (error != cudaSuccess) throw_cuda_error(error, call, &stream);
}
inline void check(cudaError_t error, const char* call) {
  if (error != cudaSuccess) throw_cuda_error(error, call, nullptr);
}

}  // namespace ascore::kernels::cuda
