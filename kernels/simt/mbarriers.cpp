#include "kernels/simt/mbarriers.hpp"

#include <fmt/core.h>

namespace ascore::kernels::simt {

namespace {

constexpr unsigned kMaxArrivals = (1u << 20) - 1;
constexpr int64_t kMaxBytes = (1 << 20) - 1;

void end_phase_if_complete(Mbarrier& barrier) {
  if (barrier.pending != 0 || barrier.bytes != 0) return;
  ++barrier.phases;
  barrier.pending = barrier.arrivals;
}

}  // namespace

void Mbarriers::make(unsigned thread, uint32_t address, unsigned arrivals, uint64_t block_barriers) {
  if (arrivals == 0 || arrivals > kMaxArrivals) throw BrokenRule{thread, "makes an mbarrier of 0 or of 2^20 arrivals"};
  if (const auto known = all_.find(address);
      known != all_.end() && known->second.maker != thread && known->second.made_after == block_barriers) {
    throw BrokenRule{thread, "makes an mbarrier that another thread has made, with no barrier between"};
  }
  all_[address] = {.arrivals = arrivals,
                   .pending = arrivals,
                   .maker = thread,
                   .made_after = block_barriers,
                   .seen = std::vector<uint64_t>(threads_)};
}

void Mbarriers::fence(unsigned thread) {
  for (auto& [address, barrier] : all_) barrier.fenced |= barrier.maker == thread;
}

Mbarrier& Mbarriers::use(unsigned thread, uint32_t address, uint64_t block_barriers) {
  const auto found = all_.find(address);
  if (found == all_.end()) throw BrokenRule{thread, "uses an mbarrier that nobody has made"};
  Mbarrier& barrier = found->second;
  if (!barrier.fenced) throw BrokenRule{thread, "uses an mbarrier whose maker has not called fence_mbarrier_init"};
  if (thread != barrier.maker && block_barriers == barrier.made_after) {
    throw BrokenRule{thread, "uses an mbarrier that another thread has made, with no barrier between"};
  }
  return barrier;
}

void Mbarriers::arrive(Mbarrier& barrier, unsigned thread, int64_t bytes) {
  if (barrier.pending == 0) {
    throw BrokenRule{thread,
                     fmt::format("arrives at an mbarrier that waits for {} bytes and no arrival", barrier.bytes)};
  }
  barrier.bytes += bytes;
  if (barrier.bytes > kMaxBytes) throw BrokenRule{thread, "lets an mbarrier expect 2^20 bytes or more"};
  --barrier.pending;
  end_phase_if_complete(barrier);
}

void Mbarriers::complete(Mbarrier& barrier, int64_t bytes) {
  barrier.bytes -= bytes;
  end_phase_if_complete(barrier);
}

bool Mbarriers::passed(Mbarrier& barrier, unsigned thread, unsigned parity) {
  if ((barrier.phases & 1) == parity) return false;
  barrier.seen[thread] = barrier.phases;
  return true;
}

std::string Mbarriers::missing(const Mbarrier& barrier) {
  return fmt::format("{} of {} arrivals and {} bytes are missing in its phase {}", barrier.pending, barrier.arrivals,
                     barrier.bytes, barrier.phases);
}

}  // namespace ascore::kernels::simt
