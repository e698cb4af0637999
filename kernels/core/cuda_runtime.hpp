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
/// Queues a copy between host and device memory in either direction.
void copy_bytes(void* stream, void* to, const void* from, size_t bytes);
void set_bytes(void* stream, void* to, unsigned char value, size_t bytes);

/// Bytes of the current GPU: free now, and all.
struct DeviceMemory {
  size_t free, total;
};
DeviceMemory memory();

/// A cudaEvent_t, queued; times are valid once the stream has passed it.
void* record_event(void* stream);
double seconds_between(void* from, void* to);
void destroy_event(void* event) noexcept;

/// What is queued from here on, until end_capture, is remembered and not run.
void begin_capture(void* stream);
/// The captured work, ready to be launched, and how many nodes it has.
struct CapturedGraph {
  void* executable;
  size_t nodes;
};
CapturedGraph end_capture(void* stream);
/// Ends a capture that an error broke off.
void abandon_capture(void* stream) noexcept;
void launch_graph(void* executable, void* stream);
void destroy_graph(void* executable) noexcept;

}  // namespace ascore::kernels::cuda
