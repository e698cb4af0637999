#pragma once

#include "kernels/core/stream.hpp"
#include "kernels/simt/access_monitor.hpp"
#include "kernels/simt/async_copies.hpp"
#include "kernels/simt/async_unit.hpp"
#include "kernels/simt/runtime.hpp"
#include "kernels/simt/schedule_random.hpp"
#include "kernels/simt/shared_arena.hpp"

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>

namespace ascore::kernels::simt {

enum class ThreadState : uint8_t { ready, at_barrier, at_warp, at_mbarrier, finished };

/// A meeting of some lanes of a warp. Two generations of slots: a lane may deposit for the next meeting while another
/// has not yet read the last one, but never two ahead, since every meeting waits for all.
struct Meeting {
  unsigned mask = 0, arrived = 0, size = 0, generation = 0;
  unsigned char slots[2][32][16];
};

/// A meeting of all threads of a warp or warpgroup in which the last one works for all; nothing is left to read
/// afterwards.
struct Gathering {
  unsigned arrived = 0;
  void (*body)(void* const*) = nullptr;
  void* threads[kWarpgroup];
};

/// The running thread is in the emulator's own code, whose accesses are not a kernel's.
class Unwatched {
 public:
  Unwatched() : monitor_(std::exchange(watching, nullptr)) {}
  ~Unwatched() { watching = monitor_; }
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;

 private:
  AccessMonitor* monitor_;
};

/// Runs blocks of one launch. Fibers are made once and live through all blocks of the launch.
class BlockRunner {
 public:
  BlockRunner(Stream& stream, dim3 block, size_t dynamic_bytes, const KernelThread& body);
  ~BlockRunner();
  BlockRunner(const BlockRunner&) = delete;
  BlockRunner& operator=(const BlockRunner&) = delete;

  void run(dim3 index);
  uint64_t barriers() const { return barriers_; }

  // What the running thread calls.
  void barrier();
  void exchange(unsigned mask, const void* mine, unsigned size, unsigned char (*all)[16], bool orders_memory);
  /// `size`: 32 or kWarpgroup.
  void together(unsigned size, void* mine, void (*body)(void* const*));
  void* shared(const void* key, size_t bytes, size_t element);
  void* dynamic(size_t element);
  void atomic(const void* address, size_t bytes);
  unsigned lane() const { return current_ % 32; }
  AsyncCopies& copies() { return threads_[current_].copies; }
  /// Runs body(AsyncUnit&, running thread, barriers that the block has passed); a broken rule becomes a KernelError.
  template <class Body>
  auto async(Body body) {
    const Unwatched pause;
    try {
      return body(async_unit(), current_, barriers_);
    } catch (const BrokenRule& rule) {
      fail_thread(rule.thread, rule.what);
    }
  }
  void wait_mbarrier(const void* barrier, unsigned parity);
  [[noreturn]] void fail_thread(std::string_view what) const { fail_thread(current_, what); }
  [[noreturn]] void fail_thread(unsigned thread, std::string_view what) const;

 private:
  struct Thread {
    boost::context::fiber fiber;
    ThreadState state = ThreadState::ready;
    dim3 index;
    uintptr_t stack_top = 0;
    AsyncCopies copies;
  };

  void run_body(unsigned i);
  void resume(unsigned i);
  void yield() { scheduler_ = std::move(scheduler_).resume(); }
  void wait();
  AsyncUnit& async_unit();
  bool deliver_copies(bool must);
  void wake_from_mbarriers();
  void release_barrier();
  void release_part_of_block();
  void shuffle();
  unsigned lanes_of(unsigned warp) const;
  Meeting& find_meeting(unsigned warp, unsigned mask);
  void fail_stuck();
  [[noreturn]] void abort();
  std::string op() const;

  Stream& stream_;
  AccessMonitor* monitor_;  ///< null where the build or the stream's options check no access
  KernelThread body_;
  unsigned count_, current_ = 0, finished_ = 0, arrived_ = 0;
  uint64_t barriers_ = 0;
  bool closing_ = false, aborting_ = false;
  std::exception_ptr failure_;
  SharedArena arena_;
  ScheduleRandom random_;
  std::unique_ptr<AsyncUnit> async_;  ///< of the running block, once it uses one
  boost::context::pooled_fixedsize_stack stacks_;
  boost::context::fiber scheduler_;
  std::vector<Thread> threads_;
  std::vector<unsigned> order_;
  std::vector<std::vector<std::unique_ptr<Meeting>>> meetings_;
  std::vector<Gathering> warps_, warpgroups_;
};

/// The one that runs the calling kernel.
BlockRunner& running_block();

}  // namespace ascore::kernels::simt
