// Streams on which nothing runs, pools with a limit or without memory behind them, and the log of allocations.
#include "kernels/core/dry_run.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/tensor/allocation_log.hpp"
#include "engine/tensor/pool_allocator.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/graph.hpp"
#include "kernels/core/library_memory.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/core/op_observer.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/fill/fill.hpp"
#include "tests/support/catch.hpp"

#include <algorithm>
#include <string>

using namespace ascore;

namespace {

/// Counts operations, and how deep they lie in each other.
class Counter final : public OpObserver {
 public:
  void begin(Stream& stream, const char* name) override {
    names += std::string(names.empty() ? "" : " ") + name;
    CHECK((stream.current_op() == nullptr || stream.current_op()->name() == std::string(name)));
    deepest = std::max(deepest, ++depth);
  }
  void end(Stream&) override { --depth; }

  std::string names;
  int depth = 0, deepest = 0;
};

}  // namespace

TEST_CASE("a pool takes no more than its limit from the device") {
  const auto pool = make_pool_allocator(Device::cpu, {.limit = 8192});
  auto a = pool->allocate(4096, MemoryKind::activations);
  CHECK_THROWS_AS(pool->allocate(4097, MemoryKind::activations), OutOfMemoryError);
  auto b = pool->allocate(4096, MemoryKind::activations);
  CHECK_THROWS_WITH(pool->allocate(1, MemoryKind::data), Catch::Contains("limit of 0.0 MiB"));
  a.reset();
  const auto c = pool->allocate(2048, MemoryKind::activations);  // what a left is given back first
  CHECK(pool->ledger().total().live == 4096 + 2048);
}

TEST_CASE("a dry pool hands out addresses that differ, and counts them") {
  const auto pool = make_pool_allocator(Device::cuda, {.dry = true});
  const auto a = pool->allocate(size_t{1} << 40, MemoryKind::activations);
  const auto b = pool->allocate(100, MemoryKind::data);
  CHECK(reinterpret_cast<uintptr_t>(a->data()) % 256 == 0);
  CHECK(static_cast<char*>(a->data()) + a->bytes() <= static_cast<char*>(b->data()));
  CHECK(a->device() == Device::cuda);
  CHECK(pool->ledger().of(MemoryKind::activations).live == size_t{1} << 40);
}

TEST_CASE("nothing runs on a dry stream, whatever its device, but shapes are checked") {
  for (const Device device : {Device::cpu, Device::simt, Device::cuda}) {
    INFO(name(device));
    Stream stream(device, {.schedule = kNothingRuns});
    CHECK(is_dry(stream));
    CHECK(stream.device() == device);
    const auto pool = make_pool_allocator(device, {.dry = true});
    Ctx ctx{stream, *pool};
    const Tensor x = ctx.zeros({2, 6, 4, 3}, DType::f32), weight = ctx.scalars({1, 2}), y = add(ctx, x, x);
    kernels::fill(stream, y.view(), 7);
    CHECK(ctx.to_host(y) == std::vector<double>(144, 0));
    CHECK_THROWS_AS(add(ctx, x, weight), Error);
    stream.synchronize();
    if (device == Device::cpu) continue;
    const Graph graph = Graph::capture(stream, [&] { add(ctx, x, x); });
    graph.replay(stream);
    CHECK(graph.size() == 0);
  }
}

TEST_CASE("a dry stream of the cpu counts what products keep there") {
  const auto kept = [](uint64_t schedule) {
    Stream stream(Device::cpu, {.threads = 1, .schedule = schedule});
    const auto pool = make_pool_allocator(Device::cpu, {.dry = schedule == kNothingRuns});
    Ctx ctx{stream, *pool};
    Tensor x = ctx.zeros({2, 8, 6, 16}, DType::bf16), weight = ctx.zeros({32, 3, 3, 16}, DType::f32);
    weight.mark_changed();
    conv2d(ctx, x, weight, {}, {.stride = 2});
    linear(ctx, x.alias({96, 16}), weight.alias({288, 16}), {});
    return stream.attached<LibraryMemory>().peak;
  };
  CHECK(kept(kNothingRuns) > 0);
  CHECK(kept(kNothingRuns) == kept(0));
}

TEST_CASE("an observer is told of operations, copies and fills, inner ones inside outer ones") {
  Stream stream(Device::cpu);
  const auto pool = make_pool_allocator(Device::cpu);
  Ctx ctx{stream, *pool};
  Counter counter;
  stream.attached<ObservedBy>().observer = &counter;
  const Tensor x = ctx.zeros({3, 5}, DType::f32);
  kernels::fill(stream, x.view(), 2);
  add(ctx, x, x);
  stream.attached<ObservedBy>().observer = nullptr;
  add(ctx, x, x);
  CHECK(counter.names == "fill_bytes fill scaled_add");
  CHECK(counter.depth == 0);
}

TEST_CASE("the log of allocations tells whose the bytes of the peak were") {
  const auto pool = make_pool_allocator(Device::cpu);
  AllocationLog log(*pool);
  log.set_path("a");
  auto first = log.allocate(1000, MemoryKind::activations);
  log.set_path("b");
  auto second = log.allocate(4000, MemoryKind::gradients);
  CHECK(pool->ledger().by_path().at("b").live == 4096);
  second.reset();
  log.set_path("c");
  const auto third = log.allocate(2000, MemoryKind::activations);
  first.reset();

  CHECK(log.size() == 5);
  const auto timeline = log.timeline();
  REQUIRE(timeline.size() == 5);
  CHECK(total(timeline[1]) == 1024 + 4096);
  CHECK(timeline[2][static_cast<size_t>(MemoryKind::gradients)] == 0);
  CHECK(total(timeline[4]) == pool->ledger().total().live);
  CHECK(log.peak(0, 5) == 2);
  CHECK(log.peak(2, 5) == 4);
  const auto live = log.live_after(2);
  REQUIRE(live.size() == 2);
  CHECK(live.at("a")[static_cast<size_t>(MemoryKind::activations)] == 1024);
  CHECK(live.at("b")[static_cast<size_t>(MemoryKind::gradients)] == 4096);
  CHECK(total(timeline[1]) == pool->ledger().total().peak);
}
