#include "kernels/core/kernel.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/simt/kernel_error.hpp"
#include "tests/support/catch.hpp"

#include <array>
#include <stdexcept>

using namespace ascore;
using namespace ascore::kernels::simt;

namespace {

constexpr int kThreads = 96;

/// Every round shifts the values by one thread: right only if nobody passes a barrier early.
__global__ void rotate_kernel(int* out, int rounds) {
  int* ring = shared_array<int, kThreads>();
  ring[threadIdx.x] = static_cast<int>(threadIdx.x);
  __syncthreads();
  for (int i = 0; i < rounds; ++i) {
    const int next = ring[(threadIdx.x + 1) % kThreads];
    __syncthreads();
    ring[threadIdx.x] = next;
    __syncthreads();
  }
  out[blockIdx.x * kThreads + threadIdx.x] = ring[threadIdx.x];
}

__global__ void one_misses_kernel(unsigned absent) {
  if (threadIdx.x != absent) __syncthreads();
}

__global__ void early_exit_kernel(int* out, int count) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= count) return;
  out[i] = i;
}

/// Counts how many of its kind live: what stands on the stack of a thread that has to be unwound.
struct Alive {
  explicit Alive(int* count) : count_(count) { ++*count_; }
  ~Alive() { --*count_; }
  int* count_;
};

__global__ void throwing_kernel(int* alive, int* passed) {
  const Alive here(alive);
  if (threadIdx.x == 7 && blockIdx.x == 1) throw std::runtime_error("thread 7 had enough");
  __syncthreads();
  ++*passed;
}

__global__ void order_kernel(int* order, int* next) {
  order[(*next)++] = static_cast<int>(threadIdx.x);
}

std::vector<int> order_of(uint64_t schedule) {
  Stream stream(Device::simt, {.schedule = schedule});
  std::vector<int> order(64, -1);
  int next = 0;
  launch(order_kernel, 1, 64, 0, stream, order.data(), &next);
  CHECK(next == 64);
  return order;
}

}  // namespace

TEST_CASE("a barrier lets nobody pass before all have arrived, in any order of threads") {
  for (uint64_t schedule = 0; schedule < 8; ++schedule) {
    Stream stream(Device::simt, {.schedule = schedule});
    std::vector<int> out(3 * kThreads, -1);
    launch(rotate_kernel, 3, kThreads, 0, stream, out.data(), 5);
    for (size_t i = 0; i < out.size(); ++i) CHECK(out[i] == static_cast<int>((i % kThreads + 5) % kThreads));
    CHECK(stream.simt_counters().launches == 1);
    CHECK(stream.simt_counters().blocks == 3);
    CHECK(stream.simt_counters().threads == 3 * kThreads);
    CHECK(stream.simt_counters().barriers == 3 * (1 + 2 * 5));
  }
}

TEST_CASE("a barrier that one thread misses is an error that names operation, block and thread") {
  Stream stream(Device::simt);
  const OpScope op(stream, "lonely", {});
  const auto launch_it = [&] { launch(one_misses_kernel, dim3(2, 1, 1), 64, 0, stream, 37u); };
  CHECK_THROWS_AS(launch_it(), KernelError);
  CHECK_THROWS_WITH(launch_it(), Catch::Contains("lonely") && Catch::Contains("block (0,0,0)") &&
                                     Catch::Contains("divergent barrier") && Catch::Contains("63 of 64") &&
                                     Catch::Contains("thread (37,0,0) did not"));
  CHECK_NOTHROW(launch(one_misses_kernel, 1, 64, 0, stream, 64u));  // the stream is as good as new
}

TEST_CASE("threads may leave early where no barrier follows") {
  Stream stream(Device::simt);
  std::vector<int> out(100, -1);
  launch(early_exit_kernel, 4, 32, 0, stream, out.data(), 100);
  for (int i = 0; i < 100; ++i) CHECK(out[static_cast<size_t>(i)] == i);
}

TEST_CASE("an exception in a thread ends the launch, unwinds the others and is rethrown") {
  Stream stream(Device::simt);
  int alive = 0, passed = 0;
  CHECK_THROWS_WITH(launch(throwing_kernel, 4, 32, 0, stream, &alive, &passed), "thread 7 had enough");
  CHECK(alive == 0);
  CHECK(passed == 32);  // block 0; nobody of block 1, and blocks 2 and 3 never started
}

TEST_CASE("the schedule shuffles threads, and the same one does so the same way") {
  CHECK(order_of(1) == order_of(1));
  CHECK(order_of(1) != order_of(2));
}

TEST_CASE("an empty grid is nothing to do; a block that no device takes is an error") {
  Stream stream(Device::simt);
  int next = 0;
  CHECK_NOTHROW(launch(order_kernel, 0, 64, 0, stream, nullptr, &next));
  CHECK(stream.simt_counters().launches == 0);
  CHECK_THROWS_AS(launch(order_kernel, 1, 1025, 0, stream, nullptr, &next), KernelError);
  CHECK_THROWS_AS(launch(order_kernel, 1, 0, 0, stream, nullptr, &next), KernelError);
  CHECK_THROWS_AS(launch(order_kernel, dim3(1, 65536, 1), 32, 0, stream, nullptr, &next), KernelError);
  CHECK_THROWS_AS(launch(order_kernel, 1, 32, 228 * 1024, stream, nullptr, &next), KernelError);
}
