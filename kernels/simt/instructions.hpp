#pragma once

#include "kernels/simt/async_copies.hpp"

#include <cstdint>

/// What the emulated instructions of tensor_core.hpp ask of the block that runs (runtime.cpp).
namespace ascore::kernels::simt {

/// Rendezvous of all 32 lanes of a full warp, in which the last to come runs `body` once for all: `lanes[i]` is what
/// lane i handed in as `mine`. The lanes go on when it has returned. All must hand in the same `body`, which may touch
/// what they handed in (registers, in host memory) and nothing of the device's: its accesses are not checked.
void warp_together(void* mine, void (*body)(void* const* lanes));

/// The running thread's asynchronous copies: AsyncCopies::add, close_group and take.
void async_copy_start(const AsyncCopy& copy);
void async_copy_commit();
bool async_copy_take(unsigned groups_left, AsyncCopy& copy);

/// Throws KernelError: the running thread gave `instruction` an address that is not a multiple of `bytes`.
[[noreturn]] void throw_misaligned(unsigned bytes, const char* instruction);
inline void require_aligned(const void* address, unsigned bytes, const char* instruction) {
  if (reinterpret_cast<uintptr_t>(address) % bytes != 0) throw_misaligned(bytes, instruction);
}

}  // namespace ascore::kernels::simt
