#include "kernels/core/cuda_runtime.hpp"

#include "kernels/core/cuda_check.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"

#include <string>

#include <fmt/core.h>

namespace ascore::kernels::cuda {

void throw_cuda_error(cudaError_t error, const char* call, const Stream* stream) {
  const std::string where = stream && stream->current_op() ? stream->current_op()->describe() + ": " : "";
  const std::string what = fmt::format("{}{} failed: {}", where, call, cudaGetErrorString(error));
  if (error == cudaErrorMemoryAllocation) throw OutOfMemoryError(what);
  throw DeviceError(what);
}

const char* why_unavailable() {
  static const std::string reason = [] {
    int devices = 0;
    const cudaError_t error = cudaGetDeviceCount(&devices);
    if (error != cudaSuccess) return std::string(cudaGetErrorString(error));
    return devices == 0 ? std::string("no CUDA device is present") : std::string();
  }();
  return reason.c_str();
}

void* create_stream() {
  cudaStream_t stream;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
  return stream;
}

void destroy_stream(void* stream) noexcept {
  cudaStreamDestroy(static_cast<cudaStream_t>(stream));
}

void synchronize(void* stream) {
  check(cudaStreamSynchronize(static_cast<cudaStream_t>(stream)), "cudaStreamSynchronize");
}

void* allocate(size_t bytes) {
  void* memory = nullptr;
  check(cudaMalloc(&memory, bytes), "cudaMalloc");
  return memory;
}

void release(void* memory) noexcept {
  cudaFree(memory);
}

void copy_bytes(void* stream, void* to, const void* from, size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, static_cast<cudaStream_t>(stream)), "cudaMemcpyAsync");
  synchronize(stream);
}

void set_bytes(void* stream, void* to, unsigned char value, size_t bytes) {
  check(cudaMemsetAsync(to, value, bytes, static_cast<cudaStream_t>(stream)), "cudaMemsetAsync");
}

}  // namespace ascore::kernels::cuda
