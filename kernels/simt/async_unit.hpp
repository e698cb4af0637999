#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/simt/access_monitor.hpp"
#include "kernels/simt/async_shadow.hpp"
#include "kernels/simt/bulk_copies.hpp"
#include "kernels/simt/mbarriers.hpp"
#include "kernels/simt/schedule_random.hpp"
#include "kernels/simt/shared_window.hpp"
#include "kernels/simt/warpgroup.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace ascore::kernels::simt {

/// What a block of Hopper's has beside its threads: mbarriers, bulk copies under way, products under way. Methods throw
/// BrokenRule; they are called on behalf of thread `thread` of the block, after `block_barriers` barriers of it.
class AsyncUnit {
 public:
  /// `monitor` may be null.
  AsyncUnit(SharedWindow window, unsigned threads, const SimtChecks& checks, AccessMonitor* monitor,
            ScheduleRandom& random);
  ~AsyncUnit();
  AsyncUnit(const AsyncUnit&) = delete;
  AsyncUnit& operator=(const AsyncUnit&) = delete;

  const SharedWindow& window() const { return window_; }
  void make_barrier(unsigned thread, const void* place, unsigned arrivals, uint64_t block_barriers);
  void fence_barriers(unsigned thread) { barriers_.fence(thread); }
  void arrive(unsigned thread, const void* place, int64_t bytes, uint64_t block_barriers);
  /// True if the phase of parity `parity` is over; else the thread waits for it: see goes_on.
  bool wait(unsigned thread, const void* place, unsigned parity, uint64_t block_barriers);
  /// True if the phase is over that the thread waits for.
  bool goes_on(unsigned thread);
  /// What the thread waits for, in words.
  std::string waits_for(unsigned thread) const;

  /// Starts a copy to `shared`; `copy` lacks shared, barrier and thread.
  void start_copy(unsigned thread, void* shared, const void* barrier, BulkCopy copy, uint64_t block_barriers);
  /// Some of the copies under way land, as chance has it; at least one if `must`. False if none did.
  bool deliver(bool must);

  void fence_proxy(unsigned thread) { shadow_.fence(thread); }
  /// The thread's warpgroup. Throws if it is a part of one.
  Warpgroup* warpgroup(unsigned thread);
  /// The block has ended: throws if anything is under way.
  void end() const;

 private:
  struct Wait {
    Mbarrier* barrier = nullptr;
    unsigned parity = 0;
  };
  void land(const BulkCopy& copy);

  SharedWindow window_;
  AccessMonitor* monitor_;
  ScheduleRandom& random_;
  Mbarriers barriers_;
  AsyncShadow shadow_;
  std::vector<BulkCopy> copies_;
  std::deque<Warpgroup> warpgroups_;
  std::vector<Wait> waits_;
};

}  // namespace ascore::kernels::simt
