#include "engine/dist/gradient_buckets.hpp"
#include "engine/dist/peer_lost.hpp"
#include "kernels/core/error.hpp"
#include "tests/engine/dist/collective_cases.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/ranks.hpp"

#include <atomic>
#include <mutex>

using namespace ascore;

TEST_CASE("collectives of threads agree with plain loops bit by bit", "[engine][dist]") {
  const int size = GENERATE(1, 2, 3, 4, 5, 8);
  CAPTURE(size);
  CHECK_NOTHROW(test::run_ranks(size, [](Communicator& ranks) { test::CollectiveCases(ranks).run(); }));
}

TEST_CASE("a sum of many ranks depends on their order, which is kept", "[engine][dist]") {
  // 1 + 2^60 - 2^60: only in rank order this is 0, and not 1.
  const std::vector<double> terms{1, 0x1p60, -0x1p60};
  test::run_ranks(3, [&](Communicator& ranks) {
    Stream stream(Device::cpu, {.threads = 1});
    std::vector<double> mine(10, terms[static_cast<size_t>(ranks.rank())]);
    ranks.all_reduce_sum(stream, View(mine.data(), {10}, DType::f64, Device::cpu));
    for (const double sum : mine) {
      if (sum != 0) throw Error("summed in another order");
    }
  });
}

TEST_CASE("emulated memory is summed, broadcast and gathered too", "[engine][dist]") {
  if (!kSimtBuilt) return;
  test::run_ranks(2, [](Communicator& ranks) {
    Stream stream(Device::simt, {.threads = 1});
    std::vector<float> mine{1.f + static_cast<float>(ranks.rank()), 2.f}, all(4);
    const View view(mine.data(), {2}, DType::f32, Device::simt);
    ranks.all_reduce_sum(stream, view);
    if (mine != std::vector<float>{3.f, 4.f}) throw Error("sum");
    mine[0] = static_cast<float>(ranks.rank());
    ranks.broadcast(stream, view, 1);
    if (mine != std::vector<float>{1.f, 4.f}) throw Error("broadcast");
    const std::vector<int64_t> counts{2, 2};
    ranks.all_gather(stream, view, View(all.data(), {4}, DType::f32, Device::simt), counts);
    if (all != std::vector<float>{1.f, 4.f, 1.f, 4.f}) throw Error("gather");
  });
}

TEST_CASE("ranks that do different things are told so", "[engine][dist]") {
  CHECK_THROWS_AS(test::run_ranks(2,
                                  [](Communicator& ranks) {
                                    Stream stream(Device::cpu, {.threads = 1});
                                    std::vector<float> mine(ranks.rank() == 0 ? 4 : 6);
                                    const int64_t count = static_cast<int64_t>(mine.size());
                                    ranks.all_reduce_sum(stream, View(mine.data(), {count}, DType::f32, Device::cpu));
                                  }),
                  Error);
}

TEST_CASE("a rank that leaves takes the others with it, out of any operation", "[engine][dist]") {
  std::mutex mutex;
  std::vector<int> lost;
  CHECK_THROWS_WITH(test::run_ranks(3,
                                    [&](Communicator& ranks) {
                                      if (ranks.rank() == 0) throw Error("an error of its own");
                                      try {
                                        ranks.barrier();
                                      } catch (const PeerLostError& error) {
                                        const std::lock_guard lock(mutex);
                                        lost.push_back(error.rank());
                                        throw;
                                      }
                                    }),
                    "an error of its own");
  CHECK(lost.size() == 2);
}

TEST_CASE("a sum that nobody waits for is broken off before its memory goes", "[engine][dist]") {
  std::atomic<int> failed = 0;
  CHECK_THROWS_AS(test::run_ranks(2,
                                  [&](Communicator& ranks) {
                                    if (ranks.rank() == 1) {
                                      ranks.barrier();  // not the sum: rank 0 would wait for ever
                                      return;
                                    }
                                    Stream stream(Device::cpu, {.threads = 1});
                                    std::vector<float> mine(1000);
                                    try {
                                      Pending sum = ranks.start_all_reduce_sum(
                                          stream, View(mine.data(), {1000}, DType::f32, Device::cpu));
                                      throw Error("between start and wait");
                                    } catch (const Error&) {
                                      ++failed;
                                    }
                                    ranks.barrier();
                                  }),
                  Error);
  CHECK(failed == 1);
}

namespace {

/// Sums of ranges [first, end) as they become ready, in buckets of `bytes`; how many had started before the end.
size_t sum_in_buckets(Communicator& ranks, std::vector<double>& gradients, size_t bytes,
                      const std::vector<std::pair<int64_t, int64_t>>& ranges) {
  Stream stream(Device::cpu, {.threads = 1});
  GradientBuckets buckets(ranks, bytes);
  const int64_t count = static_cast<int64_t>(gradients.size());
  buckets.begin(View(gradients.data(), {count}, DType::f64, Device::cpu));
  for (const auto& [first, end] : ranges) buckets.ready(stream, first, end);
  const size_t started = buckets.started();
  buckets.wait(stream);
  return started;
}

}  // namespace

TEST_CASE("buckets sum all gradients, whatever becomes ready when", "[engine][dist]") {
  const size_t bytes = GENERATE(8, 24, 80, 8000);  // 1, 3, 10 elements; more than there are
  const auto ranges = GENERATE(values<std::vector<std::pair<int64_t, int64_t>>>(
      {{{0, 101}}, {{90, 101}, {37, 90}, {0, 37}}, {{0, 37}, {37, 90}, {90, 101}}, {{50, 101}}, {}, {{7, 7}, {3, 4}}}));
  CAPTURE(bytes, ranges.size());
  test::run_ranks(3, [&](Communicator& ranks) {
    std::vector<double> gradients(101), wanted(101);
    for (size_t i = 0; i < 101; ++i) {
      const auto of = [i](int rank) { return std::sin(static_cast<double>(i) + rank) * std::exp2(rank * 20); };
      gradients[i] = of(ranks.rank());
      wanted[i] = (of(0) + of(1)) + of(2);
    }
    sum_in_buckets(ranks, gradients, bytes, ranges);
    if (gradients != wanted) throw Error("the sums differ from a plain loop's");
  });
}

TEST_CASE("a bucket starts when all of it is ready, and not before those behind it", "[engine][dist]") {
  const auto self = make_self_communicator();
  Stream stream(Device::cpu);
  std::vector<float> gradients(25);
  GradientBuckets buckets(*self, 40);  // [15, 25), [5, 15), [0, 5)
  buckets.begin(View(gradients.data(), {25}, DType::f32, Device::cpu));
  REQUIRE(buckets.count() == 3);
  buckets.ready(stream, 0, 15);
  CHECK(buckets.started() == 0);
  buckets.ready(stream, 16, 25);
  CHECK(buckets.started() == 0);
  buckets.ready(stream, 15, 16);
  CHECK(buckets.started() == 3);
  CHECK_THROWS_WITH(buckets.ready(stream, 24, 25), Catch::Contains("ready before"));
  CHECK_THROWS_AS(buckets.ready(stream, 20, 26), ShapeError);
  CHECK_THROWS_AS(buckets.begin(View(gradients.data(), {25}, DType::f32, Device::cpu)), Error);
  buckets.wait(stream);
  buckets.begin(View(gradients.data(), {25}, DType::f32, Device::cpu));
  buckets.ready(stream, 15, 25);
  CHECK(buckets.started() == 1);
  buckets.wait(stream);
}
