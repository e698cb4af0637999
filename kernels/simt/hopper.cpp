#include "kernels/simt/hopper.hpp"

#include "kernels/simt/async_unit.hpp"
#include "kernels/simt/block_runner.hpp"
#include "kernels/simt/instructions.hpp"

#include <array>

/// Hopper's instructions, as the kernel that runs on this host thread calls them.
namespace ascore::kernels::simt {

namespace {

/// What one thread of a warpgroup hands in to a collective instruction.
struct WarpgroupCall {
  Warpgroup* warpgroup;
  WgmmaOperands operands;
  int groups;
};

const WarpgroupCall& call_of(void* thread) {
  return *static_cast<const WarpgroupCall*>(thread);
}

void multiply_together(void* const* threads) {
  std::array<const WgmmaOperands*, kWarpgroup> lanes;
  for (unsigned i = 0; i < kWarpgroup; ++i) lanes[i] = &call_of(threads[i]).operands;
  call_of(threads[0]).warpgroup->multiply(lanes);
}
void commit_together(void* const* threads) {
  call_of(threads[0]).warpgroup->commit();
}
void wait_together(void* const* threads) {
  const WarpgroupCall& call = call_of(threads[0]);
  call.warpgroup->wait(static_cast<uint64_t>(call.groups));
}

Warpgroup* own_warpgroup(BlockRunner& runner) {
  return runner.async([](AsyncUnit& unit, unsigned thread, uint64_t) { return unit.warpgroup(thread); });
}

void start(void* shared, uint64_t* barrier, const BulkCopy& copy) {
  running_block().async([&](AsyncUnit& unit, unsigned thread, uint64_t barriers) {
    unit.start_copy(thread, shared, barrier, copy, barriers);
  });
}

}  // namespace

uint32_t shared_address(const void* shared) {
  return running_block().async([&](AsyncUnit& unit, unsigned, uint64_t) { return unit.window().address(shared); });
}

void mbarrier_init(uint64_t* barrier, unsigned arrivals) {
  running_block().async([&](AsyncUnit& unit, unsigned thread, uint64_t barriers) {
    unit.make_barrier(thread, barrier, arrivals, barriers);
  });
}
void fence_mbarrier_init() {
  running_block().async([](AsyncUnit& unit, unsigned thread, uint64_t) { unit.fence_barriers(thread); });
}
void mbarrier_arrive(uint64_t* barrier) {
  mbarrier_arrive_expect(barrier, 0);
}
void mbarrier_arrive_expect(uint64_t* barrier, unsigned bytes) {
  running_block().async(
      [&](AsyncUnit& unit, unsigned thread, uint64_t barriers) { unit.arrive(thread, barrier, bytes, barriers); });
}
void mbarrier_wait(uint64_t* barrier, unsigned parity) {
  running_block().wait_mbarrier(barrier, parity);
}

void bulk_load(void* shared, const TensorMap* map, uint64_t* barrier, int x, int y, int z) {
  start(shared, barrier, {*map, {x, y, z, 0}, {}, 0, nullptr, 0});
}
void bulk_load_pixels(void* shared, const TensorMap* map, uint64_t* barrier, int channel, int w, int h, int n,
                      int offset_w, int offset_h) {
  start(shared, barrier, {*map, {channel, w, h, n}, {offset_w, offset_h}, 0, nullptr, 0});
}
void fence_proxy_async() {
  running_block().async([](AsyncUnit& unit, unsigned thread, uint64_t) { unit.fence_proxy(thread); });
}

void wgmma_fence() {
  BlockRunner& runner = running_block();
  runner.async([](AsyncUnit& unit, unsigned thread, uint64_t) { unit.warpgroup(thread)->fence(thread); });
}
void start_wgmma(float* sums, uint64_t a, uint64_t b, int columns, bool turned_a, bool turned_b) {
  BlockRunner& runner = running_block();
  WarpgroupCall call{own_warpgroup(runner), {sums, a, b, columns, turned_a, turned_b}, 0};
  runner.together(kWarpgroup, &call, multiply_together);
}
void wgmma_commit() {
  BlockRunner& runner = running_block();
  WarpgroupCall call{own_warpgroup(runner), {}, 0};
  runner.together(kWarpgroup, &call, commit_together);
}
void wait_wgmma(int groups) {
  BlockRunner& runner = running_block();
  WarpgroupCall call{own_warpgroup(runner), {}, groups};
  runner.together(kWarpgroup, &call, wait_together);
}

}  // namespace ascore::kernels::simt
