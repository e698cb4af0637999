#include "engine/tensor/allocator.hpp"

#include "engine/tensor/tensor.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

using namespace ascore;

TEST_CASE("the pool gives the same addresses to the same pattern of requests") {
  const auto pool = make_pool_allocator(Device::cpu);
  const auto step = [&] {
    std::vector<void*> addresses;
    auto a = pool->allocate(1000, MemoryKind::activations);
    auto b = pool->allocate(5000, MemoryKind::activations);
    addresses.push_back(a->data());
    a.reset();
    auto c = pool->allocate(900, MemoryKind::workspace);  // same granule as a
    addresses.insert(addresses.end(), {b->data(), c->data()});
    return addresses;
  };
  const auto first = step();
  CHECK(first[0] == first[2]);
  CHECK(step() == first);
}

TEST_CASE("the ledger counts live and peak bytes by kind and module path") {
  const auto pool = make_pool_allocator(Device::cpu);
  pool->set_path("res1.0");
  auto a = pool->allocate(1024, MemoryKind::parameters);
  pool->set_path("");
  { auto b = pool->allocate(2048, MemoryKind::activations); }
  const MemoryLedger& ledger = pool->ledger();
  CHECK(ledger.total().live == 1024);
  CHECK(ledger.total().peak == 3072);
  CHECK(ledger.of(MemoryKind::parameters).live == 1024);
  CHECK(ledger.of(MemoryKind::activations).live == 0);
  CHECK(ledger.by_path().at("res1.0").live == 1024);
  CHECK(ledger.table().find("res1.0") != std::string::npos);
}

TEST_CASE("running out of memory is an error of one line: the need, its place, and who holds what") {
  const auto pool = make_pool_allocator(Device::cpu);
  CHECK(pool->ledger().summary() == "nothing in use yet");
  const auto kept = pool->allocate(1 << 20, MemoryKind::optimizer);
  pool->set_path("res1.0");
  const auto more = pool->allocate(1 << 21, MemoryKind::activations);
  try {
    pool->allocate(size_t(1) << 60, MemoryKind::activations);
    FAIL("an exbibyte was allocated");
  } catch (const OutOfMemoryError& error) {
    const std::string message = error.what();
    CHECK(message.find("MiB wanted for activations of res1.0") != std::string::npos);
    CHECK(message.find("3.0 MiB in use: activations 2.0, optimizer 1.0; most by res1.0 (2.0), (no module) (1.0)") !=
          std::string::npos);
    CHECK(message.find('\n') == std::string::npos);
  }
  CHECK(pool->ledger().peak_summary() ==
        "at most 3.0 MiB were in use: activations 2.0, optimizer 1.0; most by res1.0 (2.0), (no module) (1.0)");
}

TEST_CASE("storage outlives its allocator") {
  auto pool = make_pool_allocator(Device::cpu);
  const auto storage = pool->allocate(64, MemoryKind::data);
  pool.reset();
  static_cast<char*>(storage->data())[63] = 1;
  CHECK(storage->bytes() == 64);
}

TEST_CASE("the guarded allocator poisons memory, and aborts where a red zone was written") {
  const auto guarded = make_guarded_allocator(Device::cpu);
  const auto storage = guarded->allocate(8, MemoryKind::data);
  CHECK(std::isnan(static_cast<const float*>(storage->data())[1]));
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // not the test framework's
    close(STDERR_FILENO);
    auto bad = guarded->allocate(8, MemoryKind::data);
    static_cast<volatile char*>(bad->data())[8] = 1;
    bad.reset();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

TEST_CASE("tensors check that they fit, and rows and aliases share memory under identities of their own") {
  const auto pool = make_pool_allocator(Device::cpu);
  const Tensor x(pool->allocate(24, MemoryKind::data), 0, Shape{3, 2}, DType::f32);
  CHECK_THROWS_AS(Tensor(x.storage(), 4, Shape{3, 2}, DType::f32), ShapeError);
  const Tensor row = x.rows(1, 3), flat = x.alias(Shape{6});
  CHECK(row.shape() == Shape{2, 2});
  CHECK(row.view().as<float>() == x.view().as<float>() + 2);
  CHECK(flat.view().raw() == x.view().raw());
  CHECK(flat.id() != x.id());
  CHECK(Tensor(x).id() == x.id());
  CHECK_THROWS_AS(x.alias(Shape{7}), ShapeError);
  CHECK_THROWS_AS(x.rows(2, 4), ShapeError);
  CHECK_THROWS_AS(x.view().as<double>(), DTypeError);
  CHECK(ConstView(x).content_stamp() == 0);
  x.mark_changed();
  const uint64_t stamp = ConstView(x).content_stamp();
  x.mark_changed();
  CHECK(ConstView(x).content_stamp() > stamp);
}
