#include "kernels/core/kernel.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/simt/kernel_error.hpp"
#include "tests/support/catch.hpp"

using namespace ascore;
using namespace ascore::kernels::simt;

namespace {

constexpr unsigned kAll = 0xffffffffu;

struct Shuffled {
  int indexed, rotated, down, up, quarter_down, quarter_up;
  double wide;
};

/// Every shuffle once; a lane's value is 100 times its thread index.
__global__ void shuffle_kernel(Shuffled* out) {
  const int lane = static_cast<int>(threadIdx.x % 32), value = 100 * static_cast<int>(threadIdx.x);
  Shuffled& mine = out[threadIdx.x];
  mine.indexed = __shfl_sync(kAll, value, 5);
  mine.rotated = __shfl_xor_sync(kAll, value, 3);
  mine.down = __shfl_down_sync(kAll, value, 4);
  mine.up = __shfl_up_sync(kAll, value, 4);
  mine.quarter_down = __shfl_down_sync(kAll, value, 2, 8);
  mine.quarter_up = __shfl_up_sync(kAll, value, 2, 8);
  mine.wide = __shfl_sync(kAll, value + 0.25, (lane + 1) % 32);
}

/// The even and the odd lanes meet apart from each other.
__global__ void vote_kernel(unsigned* ballots, int* any, int* all) {
  const unsigned mask = threadIdx.x % 2 ? 0xaaaaaaaau : 0x55555555u;
  ballots[threadIdx.x] = __ballot_sync(mask, threadIdx.x % 3 == 0);
  any[threadIdx.x] = __any_sync(mask, threadIdx.x == 4);
  all[threadIdx.x] = __all_sync(mask, threadIdx.x < 32);
}

__global__ void missing_lane_kernel() {
  if (threadIdx.x != 9) __syncwarp();
}
__global__ void foreign_mask_kernel(unsigned mask) {
  __syncwarp(mask);
}

/// Sums by a butterfly over two whole warps, and by the block.
__global__ void reduce_kernel(float* warp, float* block) {
  float* scratch = shared_array<float, 3>();
  const float value = 1.0f / static_cast<float>(threadIdx.x + 1);
  warp[threadIdx.x] = warp_reduce(value, [](float a, float b) { return a + b; });
  block[threadIdx.x] = block_sum<96>(value, scratch);
  block[threadIdx.x] += block_reduce<96>(value, 0.0f, scratch, [](float a, float b) { return a > b ? a : b; });
}

__global__ void atomics_kernel(int* sum, int* largest, int* smallest, int* lock, int* entered, unsigned* last) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  atomicAdd(sum, i);
  atomicMax(largest, i * 7 % 101);
  atomicMin(smallest, i * 7 % 101);
  if (atomicCAS(lock, 0, 1) == 0) atomicAdd(entered, 1);
  atomicExch(last, 5u);
}

}  // namespace

TEST_CASE("warp shuffles deliver what the programming guide says, in any order of threads") {
  for (uint64_t schedule = 0; schedule < 4; ++schedule) {
    Stream stream(Device::simt, {.schedule = schedule});
    std::vector<Shuffled> out(64);
    launch(shuffle_kernel, 1, 64, 0, stream, out.data());
    for (int i = 0; i < 64; ++i) {
      const int lane = i % 32, warp = i - lane;
      const Shuffled& got = out[static_cast<size_t>(i)];
      CHECK(got.indexed == 100 * (warp + 5));
      CHECK(got.rotated == 100 * (warp + (lane ^ 3)));
      CHECK(got.down == 100 * (lane + 4 < 32 ? i + 4 : i));  // past the end: its own value
      CHECK(got.up == 100 * (lane >= 4 ? i - 4 : i));
      CHECK(got.quarter_down == 100 * (lane % 8 + 2 < 8 ? i + 2 : i));
      CHECK(got.quarter_up == 100 * (lane % 8 >= 2 ? i - 2 : i));
      CHECK(got.wide == 100 * (warp + (lane + 1) % 32) + 0.25);
    }
  }
}

TEST_CASE("votes count the lanes of their mask, and two masks meet apart") {
  for (uint64_t schedule = 0; schedule < 4; ++schedule) {
    Stream stream(Device::simt, {.schedule = schedule});
    std::vector<unsigned> ballots(64);
    std::vector<int> any(64), all(64);
    launch(vote_kernel, 1, 64, 0, stream, ballots.data(), any.data(), all.data());
    for (unsigned i = 0; i < 64; ++i) {
      unsigned expected = 0;
      for (unsigned lane = i % 2; lane < 32; lane += 2) expected |= unsigned((i / 32 * 32 + lane) % 3 == 0) << lane;
      CHECK(ballots[i] == expected);
      CHECK(any[i] == (i < 32 && i % 2 == 0));
      CHECK(all[i] == (i < 32));
    }
  }
}

TEST_CASE("a warp collective that a lane misses, or that names lanes which are not there, is an error") {
  Stream stream(Device::simt);
  const OpScope op(stream, "meeting", {});
  CHECK_THROWS_WITH(launch(missing_lane_kernel, 1, 32, 0, stream),
                    Catch::Contains("meeting") && Catch::Contains("divergent warp collective"));
  CHECK_THROWS_WITH(launch(foreign_mask_kernel, 1, 40, 0, stream, kAll),
                    Catch::Contains("lanes that the block does not"));
  CHECK_THROWS_WITH(launch(foreign_mask_kernel, 1, 32, 0, stream, 1u), Catch::Contains("whose mask leaves it out"));
}

TEST_CASE("reductions give every thread the same bits, in any order of threads") {
  std::vector<float> first;
  float largest_sum = 0;
  for (uint64_t schedule = 0; schedule < 4; ++schedule) {
    Stream stream(Device::simt, {.schedule = schedule});
    std::vector<float> warp(96), block(96);
    launch(reduce_kernel, 1, 96, 0, stream, warp.data(), block.data());
    for (size_t i = 0; i < 96; ++i) {
      CHECK(warp[i] == warp[i / 32 * 32]);
      CHECK(block[i] == block[0]);
    }
    double expected = 1;  // the maximum, and the sum
    for (int i = 1; i <= 96; ++i) expected += 1.0 / i;
    CHECK(block[0] == Approx(expected).epsilon(1e-6));
    if (first.empty()) first = warp, largest_sum = block[0];
    CHECK(warp == first);
    CHECK(block[0] == largest_sum);
  }
}

TEST_CASE("atomics lose no update") {
  Stream stream(Device::simt, {.schedule = 3});
  int sum = 0, largest = 0, smallest = 1000, lock = 0, entered = 0;
  unsigned last = 0;
  launch(atomics_kernel, 5, 64, 0, stream, &sum, &largest, &smallest, &lock, &entered, &last);
  CHECK(sum == 319 * 320 / 2);
  CHECK(largest == 100);
  CHECK(smallest == 0);
  CHECK(lock == 1);
  CHECK(entered == 1);
  CHECK(last == 5u);
}
