#include "kernels/simt/async_unit.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/core.h>

namespace ascore::kernels::simt {

AsyncUnit::AsyncUnit(SharedWindow window, unsigned threads, const SimtChecks& checks, AccessMonitor* monitor,
                     ScheduleRandom& random)
    : window_(window),
      monitor_(monitor),
      random_(random),
      barriers_(threads),
      shadow_(window.bytes, threads, checks.races, monitor && checks.initialised),
      waits_(threads) {
  for (unsigned first = 0; first + kWarpgroup <= threads; first += kWarpgroup) {
    warpgroups_.emplace_back(first, window_, shadow_);
  }
  if (monitor_) monitor_->watch_async(&shadow_);
}

AsyncUnit::~AsyncUnit() {
  if (monitor_) monitor_->watch_async(nullptr);
}

void AsyncUnit::make_barrier(unsigned thread, const void* place, unsigned arrivals, uint64_t block_barriers) {
  const uint32_t address = window_.address(place);
  window_.offset(address, sizeof(uint64_t), thread);
  if (address % sizeof(uint64_t) != 0) throw BrokenRule{thread, "makes an mbarrier that is not aligned to 8 bytes"};
  barriers_.make(thread, address, arrivals, block_barriers);
}

void AsyncUnit::arrive(unsigned thread, const void* place, int64_t bytes, uint64_t block_barriers) {
  Mbarriers::arrive(barriers_.use(thread, window_.address(place), block_barriers), thread, bytes);
}

bool AsyncUnit::wait(unsigned thread, const void* place, unsigned parity, uint64_t block_barriers) {
  waits_[thread] = {&barriers_.use(thread, window_.address(place), block_barriers), parity};
  return goes_on(thread);
}

bool AsyncUnit::goes_on(unsigned thread) {
  return Mbarriers::passed(*waits_[thread].barrier, thread, waits_[thread].parity);
}

std::string AsyncUnit::waits_for(unsigned thread) const {
  const Wait& wait = waits_[thread];
  return fmt::format("waits for parity {} of an mbarrier: {}", wait.parity, Mbarriers::missing(*wait.barrier));
}

void AsyncUnit::start_copy(unsigned thread, void* shared, const void* barrier, BulkCopy copy, uint64_t block_barriers) {
  copy.thread = thread;
  copy.shared = window_.address(shared);
  copy.barrier = &barriers_.use(thread, window_.address(barrier), block_barriers);
  if (copy.shared % 128 != 0) throw BrokenRule{thread, "starts a bulk copy to memory that is not aligned to 128 bytes"};
  const size_t offset = window_.offset(copy.shared, copy.map.bytes(), thread);
  shadow_.copy_starts(thread, offset, copy.map.bytes());
  std::memset(window_.memory + offset, 0xff, copy.map.bytes());  // NaN until it lands
  copies_.push_back(copy);
}

bool AsyncUnit::deliver(bool must) {
  constexpr uint64_t kOneOf = 3;  // lands at a time: long enough for threads to run ahead of their data
  bool any = false;
  for (size_t left = copies_.size(); left > 0; --left) {
    const size_t chosen = random_.below(copies_.size());
    if (!(must && !any) && random_.below(kOneOf) != 0) continue;
    const BulkCopy copy = copies_[chosen];
    copies_.erase(copies_.begin() + static_cast<std::ptrdiff_t>(chosen));
    land(copy);
    any = true;
  }
  return any;
}

/// The global memory is read now: what it holds when the copy was started does not matter.
void AsyncUnit::land(const BulkCopy& copy) {
  const int elements = copy.map.row_elements();
  // The part of a row that lies inside the tensor.
  const int64_t channels = copy.map.sizes[0];
  const int begin = std::clamp(-copy.start[0], 0, elements);
  const int end = static_cast<int>(std::clamp<int64_t>(channels - copy.start[0], begin, elements));
  BulkRows rows(copy);
  uint32_t to = copy.shared;
  for (int r = 0; r < copy.map.rows(); ++r, rows.next(), to += static_cast<uint32_t>(copy.map.row_bytes())) {
    uint16_t row[64] = {};
    if (const uint16_t* const line = rows.line(); line && end > begin) {
      const uint16_t* const from = line + copy.start[0] + begin;
      const size_t bytes = static_cast<size_t>(end - begin) * sizeof(uint16_t);
      if (monitor_) monitor_->async_read(copy.thread, from, bytes);
      std::memcpy(row + begin, from, bytes);
    }
    for (int e = 0; e < elements; e += 8) {
      const uint32_t place = swizzle_128(to + static_cast<uint32_t>(e) * 2);
      std::memcpy(window_.memory + window_.offset(place, 16, copy.thread), row + e, 16);
    }
  }
  const size_t offset = window_.offset(copy.shared, copy.map.bytes(), copy.thread);
  if (monitor_) monitor_->async_wrote(window_.memory + offset, copy.map.bytes());
  shadow_.copy_lands(offset, copy.map.bytes(), *copy.barrier);
  Mbarriers::complete(*copy.barrier, static_cast<int64_t>(copy.map.bytes()));
}

Warpgroup* AsyncUnit::warpgroup(unsigned thread) {
  if (thread / kWarpgroup < warpgroups_.size()) return &warpgroups_[thread / kWarpgroup];
  throw BrokenRule{thread, "calls a warpgroup-wide instruction in a warpgroup of fewer than 128 threads"};
}

void AsyncUnit::end() const {
  if (!copies_.empty()) throw BrokenRule{copies_[0].thread, "leaves a bulk copy under way when the block ends"};
  for (unsigned i = 0; i < warpgroups_.size(); ++i) {
    if (!warpgroups_[i].idle()) throw BrokenRule{i * kWarpgroup, "leaves a wgmma under way when the block ends"};
  }
}

}  // namespace ascore::kernels::simt
