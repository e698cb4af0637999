#include "engine/autograd/checkpoint.hpp"

#include "engine/autograd/operations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <cmath>

using namespace ascore;

namespace {

/// Two tensors in, two out: the segments' body. Counts its runs.
struct Body {
  Tensor weight;
  int* runs;
  std::vector<Tensor> operator()(Ctx& ctx, const Tensor& x) const {
    ++*runs;
    const Tensor h = activate(ctx, linear(ctx, x, weight, {}), Activation::silu);
    return {add(ctx, h, x), activate(ctx, h, Activation::elu)};
  }
};

struct Gradients {
  std::vector<double> x, weight;
  int runs = 0;
  bool operator==(const Gradients& other) const { return x == other.x && weight == other.weight; }
};

/// x through three bodies; `levels`: how deep they are segments (0: not at all, 2: all three are one more).
Gradients gradients(int levels) {
  test::Bench bench(Device::cpu);
  Gradients result;
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({5, 4}, DType::f32, 1);
  const Body body{bench.normal({4, 4}, DType::f32, 2), &result.runs};
  tape.watch(x);
  tape.watch(body.weight);
  const auto one = [=, &tape](Ctx& c, const Tensor& in) {
    if (levels == 0) return body(c, in);
    return tape.checkpoint(c, [=](Ctx& inner) { return body(inner, in); });
  };
  const auto all = [=](Ctx& c) {
    std::vector<Tensor> h{x, x};
    for (int i = 0; i < 3; ++i) h = one(c, add(c, h[0], h[1]));
    return h;
  };
  const std::vector<Tensor> out = levels == 2 ? tape.checkpoint(ctx, all) : all(ctx);
  if (levels == 2) CHECK(tape.size() == 1);
  if (levels == 1) CHECK(tape.size() == 6);
  tape.backward(ctx, {{out[0], bench.normal({5, 4}, DType::f32, 3)}, {out[1], bench.normal({5, 4}, DType::f32, 4)}});
  result.x = ctx.to_host(tape.gradient(x));
  result.weight = ctx.to_host(tape.gradient(body.weight));
  return result;
}

}  // namespace

TEST_CASE("segments that run again, one inside another too, give the bits of kept ones") {
  const Gradients kept = gradients(0), once = gradients(1), nested = gradients(2);
  CHECK(kept.runs == 3);
  CHECK(once.runs == 6);
  CHECK(nested.runs == 9);
  CHECK(once == kept);
  CHECK(nested == kept);
  CHECK(std::ranges::any_of(kept.x, [](double g) { return g != 0; }));
}

TEST_CASE("a segment of which the loss does not depend, or that depends on nothing watched, does not run again") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({3}, DType::f32, 1), constant = bench.normal({3}, DType::f32, 2);
  tape.watch(x);
  int idle = 0, still = 0;
  tape.checkpoint(ctx, [&](Ctx& c) {
    ++idle;
    return std::vector{scale(c, x, 2)};
  });
  tape.checkpoint(ctx, [&](Ctx& c) {
    ++still;
    return std::vector{scale(c, constant, 2)};
  });
  CHECK(tape.size() == 1);
  const Tensor y = scale(ctx, x, 3);
  tape.backward(ctx, y, ctx.from_host(std::vector<double>{1, 2, 3}, {3}, DType::f32));
  CHECK(idle == 1);
  CHECK(still == 1);
  CHECK(ctx.to_host(tape.gradient(x)) == std::vector<double>{3, 6, 9});
}

TEST_CASE("what happens once in a segment gives the same when it runs again, inside another one too") {
  const bool nested = GENERATE(false, true);
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({3}, DType::f32, 1);
  tape.watch(x);
  int made = 0;
  const auto scaled = [&](Ctx& c) {
    const Tensor other = tape.once([&] {
      ++made;
      return std::vector{bench.normal({3}, DType::f32, static_cast<uint64_t>(made))};
    })[0];
    return std::vector{add(c, scale(c, x, 2), other)};
  };
  const auto outer = [&](Ctx& c) { return tape.checkpoint(c, scaled); };
  const std::vector<Tensor> y = nested ? tape.checkpoint(ctx, outer) : outer(ctx);
  const Tensor loss = activate(ctx, y[0], Activation::elu);
  tape.backward(ctx, loss, bench.normal({3}, DType::f32, 9));
  CHECK(made == 1);
}

TEST_CASE("a checkpoint frees what its block captured until backward, and only where the tape says so") {
  const auto live = [](Recompute recompute) {
    test::Bench bench(Device::cpu);
    Tape tape(recompute);
    Ctx ctx = bench.ctx;
    ctx.tape = &tape;
    const Tensor x = bench.normal({1024}, DType::f32, 1);
    tape.watch(x);
    const Activated y = checkpoint(ctx, [x](Ctx& c) {
      Tensor h = x;
      for (int i = 0; i < 4; ++i) h = activate(c, h, Activation::silu);
      return activated(c, h, Activation::leaky_relu, 0.25);
    });
    CHECK(y.activation == Activation::leaky_relu);
    CHECK(y.slope == 0.25);
    return ctx.allocator.ledger().total().live / 4096;
  };
  CHECK(live(Recompute::none) == 6);   // x, four behind silu, y
  CHECK(live(Recompute::block) == 3);  // x, y and what it is f of
}

TEST_CASE("a tensor that can be made again is not held by those who keep it") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  const MemoryLedger& ledger = ctx.allocator.ledger();
  const Tensor x = bench.normal({1024}, DType::f32, 1);
  Tensor y = scale(ctx, x, 2);
  const std::vector<double> values = ctx.to_host(y);
  int made = 0;
  tape.remake(y, [&](Ctx& c) {
    ++made;
    return scale(c, x, 2);
  });
  CHECK(tape.remakes(y));
  CHECK_FALSE(tape.remakes(x));
  const Kept plain = tape.keep(x), kept = tape.keep(y), reshaped = tape.keep(y.alias({32, 32}));
  CHECK(ctx.to_host(kept.get(ctx)) == values);
  CHECK(made == 0);  // y is still there
  y = {};
  CHECK(ledger.total().live == 4096);
  {
    const Tensor again = kept.get(ctx), same = reshaped.get(ctx);
    CHECK(made == 1);
    CHECK(ctx.to_host(again) == values);
    CHECK(same.shape() == Shape{32, 32});
    CHECK(same.view().raw() == again.view().raw());
  }
  CHECK(ledger.total().live == 4096);
  CHECK(plain.get(ctx).id() == x.id());
  CHECK_FALSE(tape.keep({}).get(ctx));
}
