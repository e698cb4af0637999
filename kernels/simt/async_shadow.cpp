#include "kernels/simt/async_shadow.hpp"

namespace ascore::kernels::simt {

void AsyncShadow::read(unsigned thread, size_t offset, size_t bytes) const {
  each(granules_, offset, bytes, [&](const Granule& granule) {
    if (granule.under_way) race(thread, "reads shared memory that a bulk copy under way writes");
    if (granule.barrier && granule.barrier->seen[thread] <= granule.phase) {
      race(thread, "reads what a bulk copy has written, and has not waited for its mbarrier");
    }
  });
}

void AsyncShadow::write(unsigned thread, size_t offset, size_t bytes) {
  each(granules_, offset, bytes, [&](Granule& granule) {
    if (granule.under_way) race(thread, "writes shared memory that a bulk copy under way writes");
    if (granule.products) race(thread, "writes shared memory that a wgmma under way reads");
    granule.barrier = nullptr;
    granule.writer = thread;
    granule.fences = fences_[thread];
  });
}

void AsyncShadow::copy_starts(unsigned thread, size_t offset, size_t bytes) {
  each(granules_, offset, bytes, [&](Granule& granule) {
    if (granule.under_way) race(thread, "starts a bulk copy into memory that another one under way writes");
    if (granule.products) race(thread, "starts a bulk copy into memory that a wgmma under way reads");
    if (unfenced(granule)) {
      race(thread, "starts a bulk copy into memory that was written by a store without fence_proxy_async after it");
    }
    granule.under_way = true;
  });
}

void AsyncShadow::copy_lands(size_t offset, size_t bytes, const Mbarrier& barrier) {
  each(granules_, offset, bytes, [&](Granule& granule) {
    granule.under_way = false;
    granule.barrier = &barrier;
    granule.phase = barrier.phases;
    granule.writer = kNobody;
  });
}

void AsyncShadow::product_starts(unsigned first, size_t offset) {
  Granule& granule = granules_[offset / kGranule];
  if (granule.under_way) race(first, "starts a wgmma whose operand a bulk copy under way writes");
  if (granule.barrier) {
    for (unsigned thread = first; thread < first + 128; ++thread) {
      if (granule.barrier->seen[thread] > granule.phase) continue;
      race(thread, "starts a wgmma whose operand a bulk copy wrote, and has not waited for its mbarrier");
    }
  }
  if (unfenced(granule)) {
    race(first, "starts a wgmma whose operand was written by a store without fence_proxy_async after it");
  }
  if (initialised_ && !granule.barrier && granule.writer == kNobody) {
    throw BrokenRule{first, "starts a wgmma whose operand the block has not written: uninitialised"};
  }
  ++granule.products;
}

}  // namespace ascore::kernels::simt
