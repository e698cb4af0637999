#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/simt/device.hpp"

#include <cstddef>
#include <functional>

namespace ascore::kernels::simt {

/// Runs `thread` once for every thread of every block, one block after another; the threads of a block are fibers that
/// switch at barriers and warp collectives, in an order shuffled by the stream's schedule seed. Shared memory is
/// poisoned at the start of a block and its red zones are checked at the end. Throws KernelError (a broken rule of the
/// CUDA execution model) naming operation, block and thread; an exception inside a thread ends the launch and is
/// rethrown.
void run_grid(Stream& stream, dim3 grid, dim3 block, size_t dynamic_shared_bytes, const std::function<void()>& thread);

/// Static shared memory of the running block that `key` names; the same for all its threads. 48 KiB in all.
void* shared_slice(const void* key, size_t bytes);
/// The dynamic shared memory of the running block.
void* dynamic_shared_slice();

}  // namespace ascore::kernels::simt
