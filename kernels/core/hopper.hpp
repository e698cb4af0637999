#pragma once

#include "kernels/core/backend.hpp"

#include <cstdint>

#ifdef __CUDACC__
#include "kernels/core/cuda_tensor_map.hpp"
#else
#include "kernels/simt/tensor_map.hpp"
#endif

/// The instructions of sm_90a that products are made of: barriers in shared memory (mbarrier), bulk tensor copies
/// (TMA) and warpgroup products (wgmma). Under nvcc they are PTX, on simt an emulation of what the PTX ISA documents.
/// This header says what they do; the bodies lie in hopper_ptx.hpp, wgmma_ptx.hpp and kernels/simt/hopper.hpp.
///
/// The order of things. Bulk copies and wgmma see shared memory through the *asynchronous proxy*. A copy's data may be
/// read by whoever has waited for its mbarrier. Memory may be filled again once every reader has arrived, after its
/// wgmma_wait, at an mbarrier that the copying thread has then waited for. What ordinary stores have written, wgmma
/// sees after the writer's fence_proxy_async and a barrier.
namespace ascore::kernels::ASCORE_BACKEND {

/// False where a kernel is compiled for another architecture: there its body must be stop_here(). It is not started
/// unless hopper_device says so, which asks whether the program was built for sm_90a.
#if defined(__CUDACC__) && !defined(__CUDA_ARCH_FEAT_SM90_ALL)
inline constexpr bool kHopperCode = false;
#else
inline constexpr bool kHopperCode = true;
#endif

/// Ends the kernel with an error.
__device__ void stop_here();

/// Address in the block's window of shared memory, as descriptors hold it.
__device__ uint32_t shared_address(const void* shared);

/// Makes an mbarrier whose phases end when `arrivals` threads have arrived and all expected bytes have come. Then
/// fence_mbarrier_init by the same thread and __syncthreads, before others use it.
__device__ void mbarrier_init(uint64_t* barrier, unsigned arrivals);
__device__ void fence_mbarrier_init();
__device__ void mbarrier_arrive(uint64_t* barrier);
/// Arrives, and lets the phase wait for `bytes` bytes more.
__device__ void mbarrier_arrive_expect(uint64_t* barrier, unsigned bytes);
/// Waits until the phase of parity `parity` has ended: 0 for the first, third, ... phase. Parity 1 of a new barrier
/// has.
__device__ void mbarrier_wait(uint64_t* barrier, unsigned parity);

/// Starts to copy the box of a TiledBox whose first element is (x, y, z) to `shared`, 128-byte aligned; its bytes (the
/// whole box, what is outside included) complete at `barrier`. One thread calls it.
__device__ void bulk_load(void* shared, const TensorMap* map, uint64_t* barrier, int x, int y, int z);
/// The same of a PixelBox: channels from `channel`, base pixels from (n, h, w), each at the offset (offset_h,
/// offset_w).
__device__ void bulk_load_pixels(void* shared, const TensorMap* map, uint64_t* barrier, int channel, int w, int h,
                                 int n, int offset_w, int offset_h);

/// Orders this thread's ordinary accesses to shared memory before later ones of the asynchronous proxy.
__device__ void fence_proxy_async();

/// sums += a b for a warpgroup (threads 128 i .. 128 i + 127): one product m64 n(Columns) k16 of bf16, summed in f32.
/// `a` and `b` are descriptors of operands in shared memory (shared_operand), turned or not. Warp w of the warpgroup
/// has rows 16 w + g and 16 w + g + 8 (g = lane / 4, t = lane % 4): sums[4 j + 0, 1] are columns 8 j + 2 t + {0, 1} of
/// the first, sums[4 j + 2, 3] of the second. Runs asynchronously: until wgmma_wait has let its group go, sums must not
/// be touched but by further products.
template <bool TurnedA, bool TurnedB, int Registers>
__device__ __forceinline__ void wgmma(float (&sums)[Registers], uint64_t a, uint64_t b);
/// Before the first product, and again after registers of sums were read or written.
__device__ void wgmma_fence();
/// Closes the group of the products started since the last one.
__device__ void wgmma_commit();
/// Waits until at most `Groups` groups are under way.
template <int Groups>
__device__ __forceinline__ void wgmma_wait();
/// After wgmma_wait, before sums are read: the compiler must not move reads to before it.
template <int Registers>
__device__ __forceinline__ void wgmma_settle(float (&sums)[Registers]);

/// Gives registers of the warpgroup's threads back, or takes more (of those that others gave): `Registers` per thread
/// from now on, a multiple of 8. All of its warps call it. No meaning on simt.
template <int Registers>
__device__ __forceinline__ void registers_decrease();
template <int Registers>
__device__ __forceinline__ void registers_increase();

/// Descriptor of an operand in shared memory, swizzled by 128 bytes, in pieces of 1024 bytes, each aligned to that. An
/// operand [rows][depth] that is not turned has 64 elements of depth in each 128-byte line, one line per row; turned,
/// 64 rows in each line and one line per depth, and `leading_bytes` parts one 64 rows from the next.
/// The operand 16 further along the depth begins kStepBytes (turned: kTurnedStepBytes) behind: operand_at.
__device__ __forceinline__ uint64_t shared_operand(const void* start, unsigned leading_bytes = 16) {
  constexpr uint64_t kGroupBytes = 1024, kSwizzle128 = 1;
  return (shared_address(start) & 0x3ffffu) >> 4 | uint64_t(leading_bytes >> 4) << 16 | (kGroupBytes >> 4) << 32 |
         kSwizzle128 << 62;
}
inline constexpr unsigned kStepBytes = 32, kTurnedStepBytes = 2048;
/// The descriptor of what lies `bytes` behind.
__device__ __forceinline__ uint64_t operand_at(uint64_t operand, unsigned bytes) {
  return operand + (bytes >> 4);
}

}  // namespace ascore::kernels::ASCORE_BACKEND

#ifdef __CUDACC__
#include "kernels/core/hopper_ptx.hpp"
#include "kernels/core/wgmma_ptx.hpp"
#else
#include "kernels/simt/hopper.hpp"
#endif
