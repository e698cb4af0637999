#include "kernels/core/stream.hpp"

#include "kernels/core/cuda_runtime.hpp"
#include "kernels/core/dry_run.hpp"
#include "kernels/core/error.hpp"

#include <fmt/core.h>
#include <omp.h>

namespace ascore {

const char* unavailable_reason(Device device) {
  if (device == Device::simt && !kSimtBuilt) return "this build has no emulated device (configure with ASCORE_SIMT=ON)";
  if constexpr (kCudaBuilt) {
    if (device == Device::cuda) return kernels::cuda::why_unavailable();
  } else if (device == Device::cuda) {
    return "this build has no CUDA (configure with ASCORE_CUDA=ON)";
  }
  return "";
}

bool is_available(Device device) {
  return *unavailable_reason(device) == '\0';
}

Stream::Stream(Device device, StreamOptions options)
    : device_(device), options_(options), threads_(options.threads > 0 ? options.threads : omp_get_max_threads()) {
  if (const char* reason = unavailable_reason(device); *reason && !is_dry(*this)) {
    throw DeviceError(fmt::format("device {}: {}", name(device), reason));
  }
  // Libraries (oneDNN, Eigen) read the calling thread's OpenMP setting and take no thread count of their own.
  omp_set_num_threads(threads_);
  if constexpr (kCudaBuilt) {
    if (device == Device::cuda && !is_dry(*this)) native_ = kernels::cuda::create_stream();
  }
}

Stream::~Stream() {
  attachments_.clear();
  if constexpr (kCudaBuilt) {
    if (native_) kernels::cuda::destroy_stream(native_);
  }
}

void Stream::synchronize() {
  if (capturing_) {
    throw DeviceError(
        "the host waits inside a step that is being captured: a replayed step does not come back to the host; leave "
        "what the host needs in device memory and read it after the step");
  }
  if constexpr (kCudaBuilt) {
    if (native_) kernels::cuda::synchronize(native_);
  }
}

}  // namespace ascore
