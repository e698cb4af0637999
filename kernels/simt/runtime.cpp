#include "kernels/simt/runtime.hpp"

#include "kernels/core/op_scope.hpp"
#include "kernels/simt/block_runner.hpp"
#include "kernels/simt/host_writes.hpp"
#include "kernels/simt/instructions.hpp"
#include "kernels/simt/kernel_error.hpp"

#include <utility>

#include <fmt/core.h>

namespace ascore::kernels::simt {

namespace {

constexpr unsigned kMaxThreads = 1024, kMaxSharedBytes = 227 * 1024;

/// The launch that runs on this host thread; emulated built-ins are free functions, as in CUDA, and find it here.
constinit thread_local BlockRunner* running = nullptr;

}  // namespace

BlockRunner& running_block() {
  return *running;
}

void __syncthreads() {
  running->barrier();
}
void warp_exchange(unsigned mask, const void* mine, unsigned size, unsigned char (*all)[16]) {
  running->exchange(mask, mine, size, all, false);
}
void __syncwarp(unsigned mask) {
  unsigned char none[32][16];
  running->exchange(mask, nullptr, 0, none, true);
}
void warp_together(void* mine, void (*body)(void* const* lanes)) {
  running->together(32, mine, body);
}
void async_copy_start(const AsyncCopy& copy) {
  running->copies().add(copy);
}
void async_copy_commit() {
  running->copies().close_group();
}
bool async_copy_take(unsigned groups_left, AsyncCopy& copy) {
  return running->copies().take(groups_left, copy);
}
void throw_misaligned(unsigned bytes, const char* instruction) {
  running->fail_thread(fmt::format("gives {} an address that is not aligned to {} bytes", instruction, bytes));
}
void note_atomic(const void* address, size_t bytes) {
  running->atomic(address, bytes);
}
unsigned lane_index() {
  return running->lane();
}
void* shared_slice(const void* key, size_t bytes, size_t element) {
  return running->shared(key, bytes, element);
}
void* dynamic_shared_slice(size_t element) {
  return running->dynamic(element);
}

void host_wrote(Stream& stream, const View& view) {
  if (!kSimtChecksBuilt || stream.device() != Device::simt) return;
  stream.attached<AccessMonitor>().host_wrote(stream, view.raw(), view.bytes());
}

void run_grid(Stream& stream, dim3 grid, dim3 block, size_t dynamic_shared_bytes, const KernelThread& thread) {
  const uint64_t count = uint64_t(block.x) * block.y * block.z;
  if (count == 0 || count > kMaxThreads || dynamic_shared_bytes > kMaxSharedBytes || grid.y > 65535 || grid.z > 65535) {
    throw KernelError(
        fmt::format("{}: launch of grid ({},{},{}), block ({},{},{}), {} bytes of shared memory: a device "
                    "takes 1 to {} threads, {} bytes, 65535 blocks along y and z",
                    stream.current_op() ? stream.current_op()->describe() : "kernel", grid.x, grid.y, grid.z, block.x,
                    block.y, block.z, dynamic_shared_bytes, kMaxThreads, kMaxSharedBytes));
  }
  gridDim = grid;
  blockDim = block;
  BlockRunner runner(stream, block, dynamic_shared_bytes, thread);
  struct Restore {
    BlockRunner* previous;
    ~Restore() { running = previous; }
  } restore{std::exchange(running, &runner)};
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) runner.run(dim3(x, y, z));
    }
  }
  SimtCounters& counters = stream.simt_counters();
  const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
  counters.launches += 1;
  counters.blocks += blocks;
  counters.threads += blocks * count;
  counters.barriers += runner.barriers();
}

}  // namespace ascore::kernels::simt
