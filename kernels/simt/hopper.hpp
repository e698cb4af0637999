#pragma once

#include "kernels/simt/device.hpp"
#include "kernels/simt/tensor_map.hpp"

#include <cstdint>

#define __grid_constant__

/// The emulated body of core/hopper.hpp, which documents these functions. Included by it, on simt only. All of it is
/// work of the block's AsyncUnit.
namespace ascore::kernels::simt {

uint32_t shared_address(const void* shared);

void mbarrier_init(uint64_t* barrier, unsigned arrivals);
void fence_mbarrier_init();
void mbarrier_arrive(uint64_t* barrier);
void mbarrier_arrive_expect(uint64_t* barrier, unsigned bytes);
void mbarrier_wait(uint64_t* barrier, unsigned parity);

void bulk_load(void* shared, const TensorMap* map, uint64_t* barrier, int x, int y, int z);
void bulk_load_pixels(void* shared, const TensorMap* map, uint64_t* barrier, int channel, int w, int h, int n,
                      int offset_w, int offset_h);
void fence_proxy_async();

void wgmma_fence();
void wgmma_commit();
void start_wgmma(float* sums, uint64_t a, uint64_t b, int columns, bool turned_a, bool turned_b);
void wait_wgmma(int groups);

template <bool TurnedA, bool TurnedB, int Registers>
void wgmma(float (&sums)[Registers], uint64_t a, uint64_t b) {
  static_assert(Registers == 32 || Registers == 64 || Registers == 128);
  start_wgmma(sums, a, b, 2 * Registers, TurnedA, TurnedB);
}
template <int Groups>
void wgmma_wait() {
  wait_wgmma(Groups);
}
/// The sums are there: wgmma_wait has written them.
template <int Registers>
void wgmma_settle(float (&)[Registers]) {}

/// Registers are not emulated.
template <int Registers>
void registers_decrease() {
  static_assert(Registers % 8 == 0 && Registers >= 24 && Registers <= 256);
}
template <int Registers>
void registers_increase() {
  static_assert(Registers % 8 == 0 && Registers >= 24 && Registers <= 256);
}

}  // namespace ascore::kernels::simt
