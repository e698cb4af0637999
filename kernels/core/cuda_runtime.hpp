#pragma once

#include <cstddef>

/// What core needs of the CUDA runtime, without its headers: cuda_runtime.cpp in a CUDA build, never referenced in
/// another (see kCudaBuilt).
namespace ascore::kernels::cuda {

/// "" if a GPU can be used, else why not.
const char* why_unavailable();
/// GPUs that this process sees.
int device_count();
/// What this thread makes from here on (streams, memory) lies on that GPU.
void use_device(int number);
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

/// A cudaEvent_t without a time, by which one stream waits for another.
void* create_order_event();
/// What is queued on `later` from here on runs after all that `earlier` holds now; inside a capture too.
void order_after(void* event, void* earlier, void* later);

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
