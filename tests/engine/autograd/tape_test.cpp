#include "engine/autograd/tape.hpp"

#include "engine/autograd/checkpoint.hpp"
#include "engine/autograd/operations.hpp"
#include "kernels/core/error.hpp"
#include "kernels/scaled_add/scaled_add.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>

using namespace ascore;

TEST_CASE("the tape records only what leads to something watched") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({4}, DType::f32, 1), y = bench.normal({4}, DType::f32, 2);
  scale(ctx, y, 2);
  CHECK(tape.size() == 0);
  tape.watch(x);
  const Tensor z = add(ctx, scale(ctx, x, 2), y);
  CHECK(tape.size() == 2);
  CHECK(tape.tracks(z));
  CHECK_FALSE(tape.tracks(y));
}

TEST_CASE("gradients are written to the places that were given, and zeros where the loss does not depend") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({3}, DType::f32, 1), idle = bench.normal({2}, DType::f32, 2);
  const Tensor place = ctx.from_host(std::vector<double>{9, 9, 9}, {3}, DType::f32);
  tape.watch(x, place);
  tape.watch(idle);
  const Tensor y = scale(ctx, x, 3);
  tape.backward(ctx, y, ctx.from_host(std::vector<double>{1, 2, 3}, {3}, DType::f32));
  CHECK(ctx.to_host(place) == std::vector<double>{3, 6, 9});
  CHECK(ctx.to_host(tape.gradient(idle)) == std::vector<double>{0, 0});
  CHECK(tape.size() == 0);
  CHECK_FALSE(tape.tracks(x));
}

TEST_CASE("gradients are added to what is there where more of them are asked for") {
  test::Bench bench(Device::cpu);
  const Tensor x = bench.normal({3}, DType::f32, 1), idle = bench.normal({2}, DType::f32, 2);
  const Tensor sum = bench.ctx.from_host(std::vector<double>{9, 9, 9}, {3}, DType::f32);
  const Tensor nothing = bench.ctx.from_host(std::vector<double>{5, 5}, {2}, DType::f32);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  tape.watch_more(x, sum);
  tape.watch_more(idle, nothing);
  const Tensor y = add(ctx, scale(ctx, x, 3), x), z = scale(ctx, x, 10);
  tape.backward(ctx, {{y, ctx.from_host(std::vector<double>{1, 2, 3}, {3}, DType::f32)},
                      {z, ctx.from_host(std::vector<double>{1, 0, 1}, {3}, DType::f32)}});
  CHECK(ctx.to_host(sum) == std::vector<double>{23, 17, 31});
  CHECK(ctx.to_host(nothing) == std::vector<double>{5, 5});
}

TEST_CASE("a watched intermediate keeps its gradient") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({2}, DType::f32, 1);
  tape.watch(x);
  const Tensor middle = scale(ctx, x, 2);
  tape.watch(middle);
  const Tensor y = scale(ctx, middle, 5);
  tape.backward(ctx, y, ctx.from_host(std::vector<double>{1, 1}, {2}, DType::f32));
  CHECK(ctx.to_host(tape.gradient(middle)) == std::vector<double>{5, 5});
  CHECK(ctx.to_host(tape.gradient(x)) == std::vector<double>{10, 10});
}

TEST_CASE("watched tensors are told of as soon as nothing is left that adds to their gradient") {
  test::Bench bench(Device::cpu);
  const auto recompute = GENERATE(Recompute::none, Recompute::block);
  CAPTURE(static_cast<int>(recompute));
  Tape tape(recompute);
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor idle = bench.normal({1}, DType::f32, 1), x = bench.normal({1}, DType::f32, 2);
  const Tensor early = bench.normal({1}, DType::f32, 3), twice = bench.normal({1}, DType::f32, 4);
  const Tensor gradients = ctx.from_host(std::vector<double>{9, 9, 9, 9}, {4}, DType::f32);
  const std::vector<Tensor> watched{idle, early, twice, x};
  for (size_t i = 0; i < watched.size(); ++i) {
    tape.watch(watched[i], gradients.rows(static_cast<int64_t>(i), static_cast<int64_t>(i) + 1));
  }
  std::vector<uint64_t> told;
  std::vector<double> found;  // each one's gradient when it was told of
  tape.when_complete([&](uint64_t id) {
    const auto at = std::ranges::find(watched, id, &Tensor::id) - watched.begin();
    told.push_back(id);
    found.push_back(ctx.to_host(gradients)[static_cast<size_t>(at)]);
  });
  // y = 2 early + 3 twice, then 5 (y + twice) + x, in two segments that both use `twice`
  const Tensor y = checkpoint(ctx, [=](Ctx& c) {
    const Tensor first = scale(c, early, 2);
    return add(c, first, scale(c, twice, 3));
  });
  const Tensor z = checkpoint(ctx, [=](Ctx& c) { return add(c, scale(c, add(c, y, twice), 5), x); });
  tape.backward(ctx, z);
  CHECK(told == std::vector<uint64_t>{x.id(), twice.id(), early.id(), idle.id()});
  CHECK(found == std::vector<double>{1, 20, 10, 0});
  CHECK(ctx.to_host(gradients) == std::vector<double>{0, 10, 20, 1});
}

TEST_CASE("captured memory is freed while backward runs") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({1 << 16}, DType::f32, 1);
  tape.watch(x);
  Tensor h = x;
  for (int i = 0; i < 8; ++i) h = scale(ctx, h, 1.01);  // keeps nothing: a factor is all that backward needs
  const Tensor seed = ctx.zeros(h.shape(), h.dtype());
  tape.backward(ctx, h, seed);
  // x, h, seed, and at any moment two gradients; never all eight.
  CHECK(bench.allocator->ledger().total().peak <= size_t(6) * x.bytes() + 4096);
}

TEST_CASE("wrong uses of the tape are errors") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({3}, DType::f32, 1);
  CHECK_THROWS_AS(tape.backward(ctx, x), Error);  // nothing watched
  CHECK_THROWS_AS(tape.watch(x, bench.normal({4}, DType::f32, 2)), ShapeError);
  tape.watch(x);
  const Tensor y = scale(ctx, x, 2);
  CHECK_THROWS_AS(tape.backward(ctx, y), ShapeError);  // no scalar, no seed
  CHECK_THROWS_AS(tape.backward(ctx, y, bench.normal({2}, DType::f32, 2)), ShapeError);
  CHECK_THROWS_AS(tape.gradient(bench.normal({1}, DType::f32, 3)), Error);
}
