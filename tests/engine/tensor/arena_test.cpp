#include "engine/autograd/context.hpp"
#include "engine/tensor/arena_allocator.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <optional>

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
