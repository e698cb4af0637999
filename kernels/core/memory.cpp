#include "kernels/core/memory.hpp"

#include "kernels/core/cuda_runtime.hpp"
#include "kernels/core/dry_run.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_observer.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/simt/host_writes.hpp"
#include "kernels/simt/recording.hpp"

#include <cstdlib>
#include <cstring>

#include <fmt/core.h>

namespace ascore {

namespace {
constexpr size_t kAlignment = 256;

/// Does what memory operations do on host memory; during a capture on simt it is remembered instead.
template <class Work>
void on_host(Stream& stream, Work work) {
  if constexpr (kSimtBuilt) {
    if (stream.recording()) return stream.recording()->add(stream, work);
  }
  work(stream);
}
}  // namespace

void* device_allocate(Device device, size_t bytes) {
  if constexpr (kCudaBuilt) {
    if (device == Device::cuda) return kernels::cuda::allocate(bytes ? bytes : 1);
  }
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, rounded ? rounded : kAlignment);
  if (!memory) throw OutOfMemoryError(fmt::format("{} bytes of host memory could not be allocated", bytes));
  return memory;
}

void device_free(Device device, void* memory) noexcept {
  if (!memory) return;
  if constexpr (kCudaBuilt) {
    if (device == Device::cuda) return kernels::cuda::release(memory);
  }
  std::free(memory);
}

void copy(Stream& stream, View to, ConstView from) {
  if (to.count() != from.count()) {
    throw ShapeError(fmt::format("copy: {} elements into {}", to_string(from.shape()), to_string(to.shape())));
  }
  if (to.dtype() != from.dtype())
    throw DTypeError(fmt::format("copy: {} into {}", name(from.dtype()), name(to.dtype())));
  if (to.bytes() == 0) return;
  const bool with_host = to.device() != stream.device() || from.device() != stream.device();
  if (stream.capturing() && with_host) {
    throw DeviceError(
        "copy: between host and device inside a step that is being captured, where a replay could not repeat it; write "
        "a step's inputs before it, and read its results after it");
  }
  if (is_dry(stream)) return;
  const ObservedOp observed(stream, "copy");
  if constexpr (kCudaBuilt) {
    if (to.device() == Device::cuda || from.device() == Device::cuda) {
      kernels::cuda::copy_bytes(stream.native(), to.raw(), from.raw(), to.bytes());
      if (with_host) kernels::cuda::synchronize(stream.native());
      return;
    }
  }
  on_host(stream, [to, from](Stream& s) {
    std::memcpy(to.raw(), from.raw(), to.bytes());
    if constexpr (kSimtBuilt) kernels::simt::host_wrote(s, to);
  });
}

void fill_bytes(Stream& stream, View view, unsigned char value) {
  if (view.bytes() == 0 || is_dry(stream)) return;
  const ObservedOp observed(stream, "fill_bytes");
  if constexpr (kCudaBuilt) {
    if (view.device() == Device::cuda)
      return kernels::cuda::set_bytes(stream.native(), view.raw(), value, view.bytes());
  }
  on_host(stream, [view, value](Stream& s) {
    std::memset(view.raw(), value, view.bytes());
    if constexpr (kSimtBuilt) kernels::simt::host_wrote(s, view);
  });
}

}  // namespace ascore
