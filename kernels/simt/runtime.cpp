#include "kernels/simt/runtime.hpp"

#include "kernels/core/op_scope.hpp"
#include "kernels/simt/kernel_error.hpp"
#include "kernels/simt/shared_arena.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <exception>
#include <memory>
#include <numeric>
#include <vector>

#include <boost/context/fiber.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <fmt/core.h>

namespace ascore::kernels::simt {

constinit thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

namespace ctx = boost::context;

constexpr size_t kStackBytes = 64 * 1024;
constexpr unsigned kMaxThreads = 1024, kMaxSharedBytes = 227 * 1024;

/// Thrown into the threads that still wait when another one of the block has failed, so that their stacks unwind.
struct AbortThread {};

enum class State : uint8_t { ready, at_barrier, at_warp, finished };

/// A meeting of some lanes of a warp. Two generations of slots: a lane may deposit for the next meeting while another
/// has not yet read the last one, but never two ahead, since every meeting waits for all.
struct Meeting {
  unsigned mask = 0, arrived = 0, size = 0, generation = 0;
  unsigned char slots[2][32][16];
};

struct Thread {
  ctx::fiber fiber;
  State state = State::ready;
  dim3 index;
};

/// xorshift64*: shuffles are for variety, not statistics.
class ScheduleRandom {
 public:
  explicit ScheduleRandom(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 0x2545f4914f6cdd1dull) {}
  uint64_t below(uint64_t n) {
    state_ ^= state_ >> 12, state_ ^= state_ << 25, state_ ^= state_ >> 27;
    return (state_ * 0x2545f4914f6cdd1dull >> 33) % n;
  }

 private:
  uint64_t state_;
};

/// Runs blocks of one launch. Fibers are made once and live through all blocks of the launch.
class BlockRunner {
 public:
  BlockRunner(Stream& stream, dim3 block, size_t dynamic_bytes, const std::function<void()>& body)
      : stream_(stream),
        body_(body),
        block_(block),
        count_(block.x * block.y * block.z),
        arena_(dynamic_bytes),
        random_(stream.schedule()),
        threads_(count_),
        order_(count_),
        meetings_((count_ + 31) / 32) {
    std::iota(order_.begin(), order_.end(), 0u);
    for (unsigned i = 0; i < count_; ++i) {
      threads_[i].index = dim3(i % block.x, i / block.x % block.y, i / (block.x * block.y));
      threads_[i].fiber = ctx::fiber(std::allocator_arg, stacks_, [this, i](ctx::fiber&& scheduler) {
        scheduler_ = std::move(scheduler);
        while (!closing_) {
          run_body(i);
          yield(i);
        }
        return std::move(scheduler_);
      });
    }
  }

  ~BlockRunner() {
    closing_ = true;
    for (unsigned i = 0; i < count_; ++i) resume(i);  // each fiber leaves its loop and ends
  }

  void run(dim3 index) {
    blockIdx = index;
    arena_.reset();
    for (auto& thread : threads_) thread.state = State::ready;
    for (auto& meetings : meetings_) meetings.clear();
    finished_ = arrived_ = 0;
    failure_ = nullptr;
    while (finished_ < count_) {
      shuffle();
      bool progressed = false;
      for (unsigned i : order_) {
        if (threads_[i].state != State::ready) continue;
        progressed = true;
        resume(i);
      }
      if (arrived_ == count_)
        release_barrier();
      else if (!progressed)
        fail_stuck();
      if (failure_) abort();
    }
    if (const std::string damage = arena_.damage(); !damage.empty()) {
      throw KernelError(fmt::format("{}: block {}: {}", op(), at(blockIdx), damage));
    }
  }

  void barrier() {
    threads_[current_].state = State::at_barrier;
    ++arrived_;
    wait();
  }

  void exchange(unsigned mask, const void* mine, unsigned size, unsigned char (*all)[16]) {
    const unsigned lane = current_ % 32, warp = current_ / 32;
    const unsigned present = count_ - warp * 32 >= 32 ? ~0u : (1u << (count_ - warp * 32)) - 1u;
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
      for (unsigned bits = mask; bits; bits &= bits - 1) {
        threads_[warp * 32 + unsigned(std::countr_zero(bits))].state = State::ready;
      }
    } else {
      threads_[current_].state = State::at_warp;
      wait();
    }
    // The other generation's slots are written before all lanes have left this one, these are not.
    Meeting& met = find_meeting(warp, mask);
    if (size) std::memcpy(all, met.slots[generation & 1], sizeof met.slots[0]);
  }

  SharedArena& arena() { return arena_; }
  unsigned lane() const { return current_ % 32; }
  [[noreturn]] void fail_thread(const char* what) const {
    throw KernelError(fmt::format("{}: block {} thread {} {}", op(), at(blockIdx), at(threads_[current_].index), what));
  }
  uint64_t barriers() const { return barriers_; }

 private:
  void run_body(unsigned i) {
    try {
      body_();
    } catch (const AbortThread&) {
    } catch (...) {
      if (!failure_) failure_ = std::current_exception();
    }
    threads_[i].state = State::finished;
    ++finished_;
  }

  void resume(unsigned i) {
    current_ = i;
    threadIdx = threads_[i].index;
    threads_[i].fiber = std::move(threads_[i].fiber).resume();
  }

  void yield(unsigned) { scheduler_ = std::move(scheduler_).resume(); }

  void wait() {
    if (aborting_) throw AbortThread{};
    const unsigned i = current_;
    yield(i);
    if (aborting_) throw AbortThread{};
  }

  void release_barrier() {
    arrived_ = 0;
    ++barriers_;
    for (auto& thread : threads_) thread.state = State::ready;
  }

  void shuffle() {
    for (unsigned i = count_; i > 1; --i) std::swap(order_[i - 1], order_[random_.below(i)]);
  }

  Meeting& find_meeting(unsigned warp, unsigned mask) {
    for (auto& meeting : meetings_[warp]) {
      if (meeting->mask == mask) return *meeting;
    }
    meetings_[warp].push_back(std::make_unique<Meeting>());
    meetings_[warp].back()->mask = mask;
    return *meetings_[warp].back();
  }

  /// No thread can go on: some wait at a barrier or a collective that others have passed by.
  void fail_stuck() {
    unsigned waiting = 0, absent = 0;
    bool at_warp = false;
    for (unsigned i = 0; i < count_; ++i) {
      if (threads_[i].state == State::at_barrier || threads_[i].state == State::at_warp)
        waiting = i;
      else
        absent = i;
      at_warp |= threads_[i].state == State::at_warp;
    }
    failure_ = std::make_exception_ptr(KernelError(
        fmt::format("{}: block {}: divergent {}: thread {} waits, {} of {} threads arrived, thread {} did not", op(),
                    at(blockIdx), at_warp ? "warp collective" : "barrier", at(threads_[waiting].index), arrived_,
                    count_, at(threads_[absent].index))));
  }

  [[noreturn]] void abort() {
    aborting_ = true;
    for (unsigned i = 0; i < count_; ++i) {
      if (threads_[i].state != State::finished) resume(i);
    }
    aborting_ = false;
    std::rethrow_exception(failure_);
  }

  std::string op() const { return stream_.current_op() ? stream_.current_op()->describe() : "kernel"; }
  static std::string at(const dim3& i) { return fmt::format("({},{},{})", i.x, i.y, i.z); }

  Stream& stream_;
  const std::function<void()>& body_;
  dim3 block_;
  unsigned count_, current_ = 0, finished_ = 0, arrived_ = 0;
  uint64_t barriers_ = 0;
  bool closing_ = false, aborting_ = false;
  std::exception_ptr failure_;
  SharedArena arena_;
  ScheduleRandom random_;
  ctx::pooled_fixedsize_stack stacks_{kStackBytes};
  ctx::fiber scheduler_;
  std::vector<Thread> threads_;
  std::vector<unsigned> order_;
  std::vector<std::vector<std::unique_ptr<Meeting>>> meetings_;
};

/// The launch that runs on this host thread; emulated built-ins are free functions, as in CUDA, and find it here.
constinit thread_local BlockRunner* running = nullptr;

}  // namespace

void __syncthreads() {
  running->barrier();
}
void warp_exchange(unsigned mask, const void* mine, unsigned size, unsigned char (*all)[16]) {
  running->exchange(mask, mine, size, all);
}
unsigned lane_index() {
  return running->lane();
}
void* shared_slice(const void* key, size_t bytes) {
  return running->arena().slice(key, bytes);
}
void* dynamic_shared_slice() {
  return running->arena().dynamic();
}

void run_grid(Stream& stream, dim3 grid, dim3 block, size_t dynamic_shared_bytes, const std::function<void()>& thread) {
  const uint64_t count = uint64_t(block.x) * block.y * block.z;
  if (count == 0 || count > kMaxThreads || dynamic_shared_bytes > kMaxSharedBytes || grid.y > 65535 || grid.z > 65535) {
    throw KernelError(
        fmt::format("{}: launch of grid ({},{},{}), block ({},{},{}), {} bytes of shared memory: a device "
                    "takes 1 to {} threads, {} bytes, 65535 blocks along y and z",
                    stream.current_op() ? stream.current_op()->describe() : "kernel", grid.x, grid.y, grid.z, block.x,
                    block.y, block.z, dynamic_shared_bytes, kMaxThreads, kMaxSharedBytes));
  }
  gridDim = grid;
  blockDim = block;
  BlockRunner runner(stream, block, dynamic_shared_bytes, thread);
  struct Restore {
    BlockRunner* previous;
    ~Restore() { running = previous; }
  } restore{std::exchange(running, &runner)};
  for (unsigned z = 0; z < grid.z; ++z) {
    for (unsigned y = 0; y < grid.y; ++y) {
      for (unsigned x = 0; x < grid.x; ++x) runner.run(dim3(x, y, z));
    }
  }
  SimtCounters& counters = stream.simt_counters();
  const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
  counters.launches += 1;
  counters.blocks += blocks;
  counters.threads += blocks * count;
  counters.barriers += runner.barriers();
}

}  // namespace ascore::kernels::simt
