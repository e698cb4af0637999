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
#include <limits>
#include <new>
#include <sys/mman.h>

#include <fmt/core.h>

namespace ascore {

namespace {
constexpr size_t kAlignment = 256;

/// Blocks from this size on are mappings of their own: freed, both their pages and their addresses go back to the
/// system. (The C library keeps what it has seen come and go, so that training whose first step's blocks make room for
/// one piece would hold both.)
constexpr size_t kMapped = size_t{128} << 10;

/// What lies before a block of host memory.
struct alignas(kAlignment) HostBlock {
  size_t mapped;  ///< bytes to unmap; 0: from the C library
};

/// Fresh pages; null if there are none.
void* mapped(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : memory;
}

[[noreturn]] void throw_no_room(size_t bytes) {
  throw OutOfMemoryError(fmt::format("{} bytes of host memory could not be allocated", bytes));
}

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
  if (bytes > std::numeric_limits<size_t>::max() / 2) throw_no_room(bytes);
  const size_t whole = sizeof(HostBlock) + (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const bool maps = whole >= kMapped;
  void* const memory = maps ? mapped(whole) : std::aligned_alloc(kAlignment, whole);
  if (!memory) throw_no_room(bytes);
  return new (memory) HostBlock{maps ? whole : 0} + 1;
}

void device_free(Device device, void* memory) noexcept {
  if (!memory) return;
  if constexpr (kCudaBuilt) {
    if (device == Device::cuda) return kernels::cuda::release(memory);
  }
  HostBlock* const block = static_cast<HostBlock*>(memory) - 1;
  if (block->mapped) {
    munmap(block, block->mapped);
  } else {
    std::free(block);
  }
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
