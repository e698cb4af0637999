#include "engine/autograd/context.hpp"
#include "engine/tensor/allocation_log.hpp"
#include "engine/tensor/arena_allocator.hpp"
#include "engine/tensor/pool_allocator.hpp"
#include "engine/tensor/reserved_memory.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <optional>
#include <vector>

using namespace ascore;

TEST_CASE("an arena gives its blocks out again, and back to their source when it ends") {
  const auto pool = make_pool_allocator(Device::cpu);
  const MemoryLedger& ledger = pool->ledger();
  Stream stream(Device::cpu);
  const void* freed = nullptr;
  {
    ArenaAllocator arena(*pool);
    Ctx ctx{stream, arena};
    arena.set_path("block");
    std::optional<Tensor> a = ctx.zeros({1000}, DType::f32), b = ctx.zeros({1000}, DType::f32);
    freed = a->view().raw();
    CHECK(b->view().raw() != freed);
    CHECK(ledger.of(MemoryKind::activations).live == 2 * 4096);
    CHECK(ledger.by_path().at("block").live == 2 * 4096);
    CHECK(pool->path().empty());
    a.reset();
    CHECK(ledger.total().live == 2 * 4096);  // it stays the arena's
    const Tensor again = ctx.empty({900}, DType::f32);
    CHECK(again.view().raw() == freed);
    CHECK(ledger.total().live == 2 * 4096);
    CHECK(&arena.ledger() == &ledger);
  }
  CHECK(ledger.total().live == 0);
  Ctx ctx{stream, *pool};
  const Tensor x = ctx.empty({1000}, DType::f32), y = ctx.empty({1000}, DType::f32);
  CHECK((x.view().raw() == freed || y.view().raw() == freed));
}

TEST_CASE("a tensor outlives its arena, and an arena poisons only what no tensor uses") {
  const auto pool = make_pool_allocator(Device::cpu);
  Stream stream(Device::cpu);
  Tensor kept;
  {
    ArenaAllocator arena(*pool);
    Ctx ctx{stream, arena};
    kept = ctx.zeros({8}, DType::f32);
    Tensor gone = ctx.zeros({5000}, DType::f32);
    const View where = gone.view();
    gone = {};
    arena.poison(stream);
    for (int64_t i = 0; i < where.count(); ++i) REQUIRE(std::isnan(where.as<float>()[i]));
  }
  Ctx ctx{stream, *pool};
  CHECK(ctx.to_host(kept) == std::vector<double>(8, 0));
  CHECK(pool->ledger().total().live == 512 + 20480);
  kept = {};
  CHECK(pool->ledger().total().live == 0);
}

TEST_CASE("steps that are written down share one piece of memory, with the same addresses in every run") {
  const auto pool = make_pool_allocator(Device::cpu);
  const auto& reserved = dynamic_cast<const ReservedMemory&>(*pool);
  const MemoryLedger& ledger = pool->ledger();
  Stream stream(Device::cpu);
  {
    ArenaAllocator arena(*pool);
    Ctx ctx{stream, arena};
    const size_t small = arena.add_step(), large = arena.add_step();
    std::vector<const void*> seen;
    const auto body = [&](int64_t granules) {
      return [&ctx, &seen, granules] {
        seen.clear();
        const auto take = [&](int64_t times) {
          Tensor x = ctx.zeros({128 * granules * times}, DType::f32);
          seen.push_back(x.view().raw());
          return x;
        };
        const Tensor first = take(1);
        { const Tensor brief = take(2); }
        const Tensor last = take(2);
      };
    };
    arena.run(small, false, body(1));
    CHECK_FALSE(arena.ready());
    arena.run(large, false, body(10));
    CHECK(arena.ready());
    CHECK(arena.planned_bytes() == 0);
    CHECK(arena.peak_bytes() == 30 * 512);
    arena.run(small, false, body(1));
    CHECK(arena.planned_bytes() == 30 * 512);
    CHECK(reserved.reserved_bytes() == 30 * 512);
    CHECK(seen[1] == seen[2]);
    CHECK(seen[0] != seen[1]);
    const auto before = seen;
    arena.run(large, true, body(10));
    arena.run(small, false, body(1));
    CHECK(seen == before);
    CHECK(arena.deviations() == 0);
    CHECK(ledger.total().live == 0);
    CHECK(ledger.total().peak == 30 * 512);

    // another size, and a block that is still in use: served, from elsewhere
    Tensor kept;
    arena.run(small, false, [&] {
      kept = ctx.zeros({128}, DType::f32);
      const Tensor other = ctx.zeros({1024}, DType::f32);
    });
    CHECK(arena.deviations() == 1);
    CHECK_FALSE(arena.ready());
    arena.run(small, false, body(1));  // written down again
    CHECK(arena.ready());
    arena.run(small, false, [&] {
      const Tensor first = ctx.zeros({128}, DType::f32);
      CHECK(first.view().raw() != kept.view().raw());
    });
    CHECK(arena.deviations() == 2);
    CHECK(ctx.to_host(kept) == std::vector<double>(128, 0));
    arena.poison(stream);
    CHECK(ctx.to_host(kept) == std::vector<double>(128, 0));
    CHECK(std::isnan(*static_cast<const float*>(before[1])));
    CHECK(ledger.total().live == 512);
  }
  CHECK(ledger.total().live == 0);
}

TEST_CASE("an arena over an allocator that reserves nothing leaves ordinary runs to it") {
  const auto guarded = make_guarded_allocator(Device::cpu);
  Stream stream(Device::cpu);
  ArenaAllocator arena(*guarded);
  Ctx ctx{stream, arena};
  const size_t step = arena.add_step();
  for (int i = 0; i < 2; ++i) {
    arena.run(step, false, [&] {
      const Tensor x = ctx.zeros({8}, DType::f32);
      CHECK(guarded->ledger().total().live == 32);
    });
  }
  CHECK(arena.ready());
  CHECK(arena.planned_bytes() == 0);
  CHECK(guarded->ledger().total().live == 0);
}

TEST_CASE("a step that finds no room while it is captured gives nothing back to the device") {
  const auto pool = make_pool_allocator(Device::cpu, {.limit = 8192});
  const auto& reserved = dynamic_cast<const ReservedMemory&>(*pool);
  ArenaAllocator arena(*pool);
  const size_t first = arena.add_step();
  arena.add_step();  // has not run: a captured step is not planned yet
  pool->allocate(4096, MemoryKind::activations);
  const auto take = [&] { arena.allocate(6144, MemoryKind::activations); };
  CHECK_THROWS_AS(arena.run(first, true, take), OutOfMemoryError);
  CHECK(reserved.reserved_bytes() == 4096);
  CHECK_NOTHROW(arena.run(first, false, take));
  CHECK(reserved.reserved_bytes() == 6144);
}

TEST_CASE("a log of allocations knows the parts of an arena's piece, and holds all of it") {
  const auto pool = make_pool_allocator(Device::cpu);
  AllocationLog log(*pool);
  ArenaAllocator arena(log);
  const size_t step = arena.add_step();
  const auto body = [&] {
    arena.set_path("block");
    const auto a = arena.allocate(1024, MemoryKind::activations), b = arena.allocate(512, MemoryKind::workspace);
  };
  arena.run(step, false, body);
  const size_t before = log.size();
  arena.run(step, false, body);
  CHECK(arena.planned_bytes() == 1536);
  REQUIRE(log.size() == before + 4);
  CHECK(log.live_after(before + 2).at("block")[static_cast<size_t>(MemoryKind::activations)] == 1024);
  CHECK(total(log.timeline()[before + 1]) == 1536);
  CHECK(log.live_after(log.size()).empty());
  CHECK(log.most_held() == 1536);
  const auto beside = log.allocate(512, MemoryKind::data);  // the piece is held, although nothing lives in it
  CHECK(log.most_held() == 2048);
  CHECK(pool->ledger().total().live == 512);
}
