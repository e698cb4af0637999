#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/simt/device.hpp"

#include <cstddef>

namespace ascore::kernels::simt {

/// The kernel as one thread runs it: run(launch) calls it with the launch's arguments.
struct KernelThread {
  void (*run)(const void* launch);
  const void* launch;
};

/// Runs `thread` once for every thread of every block, one block after another; the threads of a block are fibers that
/// switch at barriers and warp collectives, in an order shuffled by the stream's schedule seed. Shared memory is
/// poisoned at the start of a block and its red zones are checked at the end. Throws KernelError (a broken rule of the
/// CUDA execution model, or of memory: SimtChecks) naming operation, block and thread; an exception inside a thread
/// ends the launch and is rethrown.
void run_grid(Stream& stream, dim3 grid, dim3 block, size_t dynamic_shared_bytes, const KernelThread& thread);

/// Static shared memory of the running block that `key` names, for elements of `element` bytes; the same for all its
/// threads. 48 KiB in all.
void* shared_slice(const void* key, size_t bytes, size_t element);
/// The dynamic shared memory of the running block, used as elements of `element` bytes.
void* dynamic_shared_slice(size_t element);

}  // namespace ascore::kernels::simt
