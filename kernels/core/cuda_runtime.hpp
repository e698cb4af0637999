#pragma once

#include <cstddef>

/// What core needs of the CUDA runtime, without its headers: cuda_runtime.cpp in a CUDA build, never referenced in
/// another (see kCudaBuilt).
namespace ascore::kernels::cuda {

/// "" if a GPU can be used, else why not.
const char* why_unavailable();
void* create_stream();
void destroy_stream(void* stream) noexcept;
void synchronize(void* stream);
void* allocate(size_t bytes);
void release(void* memory) noexcept;
/// Copies between host and device memory in either direction; complete on return.
void copy_bytes(void* stream, void* to, const void* from, size_t bytes);
void set_bytes(void* stream, void* to, unsigned char value, size_t bytes);

}  // namespace ascore::kernels::cuda
