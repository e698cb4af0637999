#include "kernels/simt/block_runner.hpp"

#include "kernels/core/op_scope.hpp"
#include "kernels/simt/kernel_error.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <numeric>
#include <utility>

#include <fmt/core.h>

namespace ascore::kernels::simt {

constinit thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

namespace ctx = boost::context;

constexpr size_t kStackBytes = 64 * 1024;
/// What of a stack counts as the thread's own below its first frame. Boost lays some of its own above that frame, so
/// that the whole size would reach below the stack, into memory that may be a tensor's.
constexpr size_t kOwnStackBytes = kStackBytes - 4096;

/// Thrown into the threads that still wait when another one of the block has failed, so that their stacks unwind.
struct AbortThread {};

std::string at(const dim3& i) {
  return fmt::format("({},{},{})", i.x, i.y, i.z);
}

/// The stream's monitor if one of its checks can find anything.
AccessMonitor* monitor_of(Stream& stream) {
  const SimtChecks& checks = stream.checks();
  const bool wanted = checks.bounds || checks.alignment || checks.initialised || checks.races;
  return kSimtChecksBuilt && wanted ? &stream.attached<AccessMonitor>() : nullptr;
}

}  // namespace

BlockRunner::BlockRunner(Stream& stream, dim3 block, size_t dynamic_bytes, const KernelThread& body)
    : stream_(stream),
      monitor_(monitor_of(stream)),
      body_(body),
      count_(block.x * block.y * block.z),
      arena_(dynamic_bytes),
      random_(stream.schedule()),
      stacks_(kStackBytes),
      threads_(count_),
      order_(count_),
      meetings_((count_ + 31) / 32),
      warps_((count_ + 31) / 32),
      warpgroups_((count_ + kWarpgroup - 1) / kWarpgroup) {
  if (monitor_) monitor_->begin_launch(stream, block, arena_);
  std::iota(order_.begin(), order_.end(), 0u);
  for (unsigned i = 0; i < count_; ++i) {
    threads_[i].index = dim3(i % block.x, i / block.x % block.y, i / (block.x * block.y));
    threads_[i].fiber = ctx::fiber(std::allocator_arg, stacks_, [this, i](ctx::fiber&& scheduler) {
      scheduler_ = std::move(scheduler);
      threads_[i].stack_top = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
      if (monitor_) monitor_->resume(i, threads_[i].stack_top, kOwnStackBytes);
      while (!closing_) {
        run_body(i);
        yield();
      }
      return std::move(scheduler_);
    });
  }
}

BlockRunner::~BlockRunner() {
  closing_ = true;
  for (unsigned i = 0; i < count_; ++i) resume(i);  // each fiber leaves its loop and ends
}

void BlockRunner::run(dim3 index) {
  blockIdx = index;
  arena_.reset();
  if (monitor_) monitor_->begin_block();
  for (auto& thread : threads_) {
    thread.state = ThreadState::ready;
    thread.copies.clear();
  }
  for (auto& meetings : meetings_) meetings.clear();
  std::fill(warps_.begin(), warps_.end(), Gathering{});
  std::fill(warpgroups_.begin(), warpgroups_.end(), Gathering{});
  async_.reset();
  finished_ = arrived_ = 0;
  failure_ = nullptr;
  while (finished_ < count_) {
    shuffle();
    bool progressed = false;
    for (unsigned i : order_) {
      if (threads_[i].state != ThreadState::ready) continue;
      progressed = true;
      resume(i);
    }
    if (async_) {
      progressed |= deliver_copies(false);
      if (!progressed && arrived_ < count_) progressed = deliver_copies(true);
      wake_from_mbarriers();
    }
    if (arrived_ == count_) {
      release_barrier();
    } else if (!progressed && !failure_) {
      if (arrived_ > 0 && !stream_.checks().barriers)
        release_part_of_block();
      else
        fail_stuck();
    }
    if (failure_) abort();
  }
  if (async_) async([](AsyncUnit& unit, unsigned, uint64_t) { unit.end(); });
  if (const std::string damage = stream_.checks().bounds ? arena_.damage() : std::string(); !damage.empty()) {
    throw KernelError(fmt::format("{}: block {}: {}", op(), at(blockIdx), damage));
  }
}

void BlockRunner::barrier() {
  const Unwatched pause;
  threads_[current_].state = ThreadState::at_barrier;
  ++arrived_;
  wait();
}

void BlockRunner::exchange(unsigned mask, const void* mine, unsigned size, unsigned char (*all)[16],
                           bool orders_memory) {
  const Unwatched pause;
  const unsigned lane = current_ % 32, warp = current_ / 32, present = lanes_of(warp);
  if (!(mask >> lane & 1u)) fail_thread("calls a warp collective whose mask leaves it out");
  if (mask & ~present) fail_thread("calls a warp collective whose mask names lanes that the block does not have");
  Meeting& meeting = find_meeting(warp, mask);
  if (meeting.arrived != 0 && meeting.size != size) fail_thread("meets lanes in another warp collective");
  const unsigned generation = meeting.generation;
  meeting.size = size;
  if (size) std::memcpy(meeting.slots[generation & 1][lane], mine, size);
  meeting.arrived |= 1u << lane;
  if (meeting.arrived == mask) {
    meeting.arrived = 0;
    ++meeting.generation;
    // A part of a warp that meets orders less than the shadow memory could express: nothing.
    if (monitor_ && orders_memory && mask == present) monitor_->pass_warp_barrier(warp);
    for (unsigned bits = mask; bits; bits &= bits - 1) {
      threads_[warp * 32 + unsigned(std::countr_zero(bits))].state = ThreadState::ready;
    }
  } else {
    threads_[current_].state = ThreadState::at_warp;
    wait();
  }
  // The other generation's slots are written before all lanes have left this one, these are not.
  Meeting& met = find_meeting(warp, mask);
  if (size) std::memcpy(all, met.slots[generation & 1], sizeof met.slots[0]);
}

void BlockRunner::together(unsigned size, void* mine, void (*body)(void* const*)) {
  const Unwatched pause;
  const unsigned place = current_ % size, first = current_ - place;
  if (count_ - first < size) {
    fail_thread(size == 32 ? "calls a warp-wide instruction in a warp of fewer than 32 threads"
                           : "calls a warpgroup-wide instruction in a warpgroup of fewer than 128 threads");
  }
  Gathering& gathering = (size == 32 ? warps_ : warpgroups_)[current_ / size];
  if (gathering.arrived != 0 && gathering.body != body) fail_thread("meets lanes in another warp-wide instruction");
  gathering.body = body;
  gathering.threads[place] = mine;
  if (++gathering.arrived < size) {
    threads_[current_].state = ThreadState::at_warp;
    return wait();
  }
  try {
    body(gathering.threads);
  } catch (const BrokenRule& rule) {
    fail_thread(rule.thread, rule.what);
  }
  gathering.arrived = 0;
  for (unsigned i = 0; i < size; ++i) threads_[first + i].state = ThreadState::ready;
}

AsyncUnit& BlockRunner::async_unit() {
  if (!async_) {
    const SharedWindow window{static_cast<unsigned char*>(arena_.dynamic()), arena_.dynamic_bytes()};
    async_ = std::make_unique<AsyncUnit>(window, count_, stream_.checks(), monitor_, random_);
  }
  return *async_;
}

void BlockRunner::wait_mbarrier(const void* barrier, unsigned parity) {
  const bool passed = async([&](AsyncUnit& unit, unsigned thread, uint64_t block_barriers) {
    return unit.wait(thread, barrier, parity, block_barriers);
  });
  if (passed) return;
  const Unwatched pause;
  threads_[current_].state = ThreadState::at_mbarrier;
  wait();
}

/// Between two turns of the threads: what goes wrong here went wrong for the thread that started the copy.
bool BlockRunner::deliver_copies(bool must) {
  try {
    return async_->deliver(must);
  } catch (const KernelError&) {
    if (!failure_) failure_ = std::current_exception();
  }
  return true;
}

void BlockRunner::wake_from_mbarriers() {
  for (unsigned i = 0; i < count_; ++i) {
    if (threads_[i].state == ThreadState::at_mbarrier && async_->goes_on(i)) threads_[i].state = ThreadState::ready;
  }
}

void* BlockRunner::shared(const void* key, size_t bytes, size_t element) {
  const Unwatched pause;
  if (void* const known = arena_.find(key)) return known;
  void* const start = arena_.make(key, bytes);
  if (monitor_) monitor_->add_shared(start, bytes, element);
  return start;
}

void* BlockRunner::dynamic(size_t element) {
  const Unwatched pause;
  if (monitor_) monitor_->use_dynamic(element);
  return arena_.dynamic();
}

void BlockRunner::atomic(const void* address, size_t bytes) {
  const Unwatched pause;
  if (monitor_) monitor_->access(Access::atomic, address, bytes);
}

void BlockRunner::run_body(unsigned i) {
  try {
    watching = monitor_;
    body_.run(body_.launch);
  } catch (const AbortThread&) {
  } catch (...) {
    if (!failure_) failure_ = std::current_exception();
  }
  watching = nullptr;
  threads_[i].state = ThreadState::finished;
  ++finished_;
}

void BlockRunner::resume(unsigned i) {
  current_ = i;
  threadIdx = threads_[i].index;
  if (monitor_) monitor_->resume(i, threads_[i].stack_top, kOwnStackBytes);
  threads_[i].fiber = std::move(threads_[i].fiber).resume();
}

void BlockRunner::wait() {
  if (aborting_) throw AbortThread{};
  yield();
  if (aborting_) throw AbortThread{};
}

void BlockRunner::release_barrier() {
  arrived_ = 0;
  ++barriers_;
  if (monitor_) monitor_->pass_barrier();
  for (auto& thread : threads_) thread.state = ThreadState::ready;
}

/// Divergent barriers are allowed: whoever waits at one goes on, as on old devices.
void BlockRunner::release_part_of_block() {
  arrived_ = 0;
  for (auto& thread : threads_) {
    if (thread.state == ThreadState::at_barrier) thread.state = ThreadState::ready;
  }
}

void BlockRunner::shuffle() {
  for (unsigned i = count_; i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
}

unsigned BlockRunner::lanes_of(unsigned warp) const {
  const unsigned lanes = count_ - warp * 32;
  return lanes >= 32 ? ~0u : (1u << lanes) - 1u;
}

Meeting& BlockRunner::find_meeting(unsigned warp, unsigned mask) {
  for (auto& meeting : meetings_[warp]) {
    if (meeting->mask == mask) return *meeting;
  }
  meetings_[warp].push_back(std::make_unique<Meeting>());
  meetings_[warp].back()->mask = mask;
  return *meetings_[warp].back();
}

/// No thread can go on: some wait at a barrier or a collective that others have passed by.
void BlockRunner::fail_stuck() {
  unsigned waiting = 0, absent = 0;
  bool at_warp = false;
  for (unsigned i = 0; i < count_; ++i) {
    const ThreadState state = threads_[i].state;
    if (state == ThreadState::at_mbarrier) {
      failure_ = std::make_exception_ptr(
          KernelError(fmt::format("{}: block {} thread {} {}; no thread of the block can go on", op(), at(blockIdx),
                                  at(threads_[i].index), async_->waits_for(i))));
      return;
    }
    if (state == ThreadState::at_barrier || state == ThreadState::at_warp)
      waiting = i;
    else
      absent = i;
    at_warp |= state == ThreadState::at_warp;
  }
  failure_ = std::make_exception_ptr(KernelError(
      fmt::format("{}: block {}: divergent {}: thread {} waits, {} of {} threads arrived, thread {} did not", op(),
                  at(blockIdx), at_warp ? "warp collective" : "barrier", at(threads_[waiting].index), arrived_, count_,
                  at(threads_[absent].index))));
}

void BlockRunner::fail_thread(unsigned thread, std::string_view what) const {
  throw KernelError(fmt::format("{}: block {} thread {} {}", op(), at(blockIdx), at(threads_[thread].index), what));
}

void BlockRunner::abort() {
  aborting_ = true;
  for (unsigned i = 0; i < count_; ++i) {
    if (threads_[i].state != ThreadState::finished) resume(i);
  }
  aborting_ = false;
  std::rethrow_exception(failure_);
}

std::string BlockRunner::op() const {
  return stream_.current_op() ? stream_.current_op()->describe() : "kernel";
}

}  // namespace ascore::kernels::simt
