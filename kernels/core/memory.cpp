#include "kernels/core/memory.hpp"

#include "kernels/core/cuda_runtime.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/simt/host_writes.hpp"

#include <cstdlib>
#include <cstring>

#include <fmt/core.h>

namespace ascore {

namespace {
constexpr size_t kAlignment = 256;
}

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
  if constexpr (kCudaBuilt) {
    if (to.device() == Device::cuda || from.device() == Device::cuda) {
      return kernels::cuda::copy_bytes(stream.native(), to.raw(), from.raw(), to.bytes());
    }
  }
  std::memcpy(to.raw(), from.raw(), to.bytes());
  if constexpr (kSimtBuilt) kernels::simt::host_wrote(stream, to);
}

void fill_bytes(Stream& stream, View view, unsigned char value) {
  if (view.bytes() == 0) return;
  if constexpr (kCudaBuilt) {
    if (view.device() == Device::cuda)
      return kernels::cuda::set_bytes(stream.native(), view.raw(), value, view.bytes());
  }
  std::memset(view.raw(), value, view.bytes());
  if constexpr (kSimtBuilt) kernels::simt::host_wrote(stream, view);
}

}  // namespace ascore
