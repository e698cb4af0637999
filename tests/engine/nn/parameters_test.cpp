#include "engine/nn/parameters.hpp"

#include "engine/autograd/operations.hpp"
#include "kernels/core/error.hpp"
#include "kernels/fill/fill.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <numeric>

using namespace ascore;

namespace {
struct Pair final : Module {
  Parameter *a = nullptr, *b = nullptr, *state = nullptr;
  explicit Pair(bool swapped = false) {
    if (!swapped) a = parameter("a", {3, 5}, Init::fan_in_uniform());
    b = parameter("b", {40, 100}, Init::normal(1, 0.02));
    if (swapped) a = parameter("a", {3, 5}, Init::fan_in_uniform());
    state = buffer("state", {1, 4}, Init::normal(0, 1));
  }
};

uint64_t stamp(const Tensor& x) {
  return ConstView(x).content_stamp();
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}
}  // namespace

TEST_CASE("a parameter set lays all trainable values into one aligned array of zeros", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  Pair pair;
  const ParameterSet set(bench.ctx, pair, DType::f32);
  CHECK(set.count() == 15 + 4000);
  CHECK(set.flat().shape() == Shape{16 + 4000});
  CHECK(set.parameters().size() == 2);
  CHECK(set.buffers().size() == 1);
  CHECK(set.find("b") == pair.b);
  CHECK(set.find("state") == pair.state);
  CHECK(set.find("c") == nullptr);
  CHECK(pair.b->value.shape() == Shape{40, 100});
  CHECK(bench.ctx.to_host(set.flat()) == std::vector<double>(4016, 0.0));
  kernels::fill(bench.stream, pair.b->value.view(), 2);
  CHECK(bench.ctx.to_host(set.flat())[16] == 2);
  CHECK(bench.ctx.to_host(set.flat())[15] == 0);
  CHECK(bench.allocator->ledger().of(MemoryKind::parameters).live >= 4020 * sizeof(float));
}

TEST_CASE("a module can be pointed at another set of values and back", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  Pair pair;
  ParameterSet set(bench.ctx, pair, DType::f32);
  const Tensor average = set.allocate_like(bench.ctx, MemoryKind::parameters);
  kernels::fill(bench.stream, set.flat().view(), 1);
  kernels::fill(bench.stream, average.view(), 3);
  const uint64_t before = stamp(pair.a->value);
  set.bind(average);
  CHECK(bench.ctx.to_host(pair.a->value) == std::vector<double>(15, 3.0));
  CHECK(stamp(pair.a->value) != before);
  CHECK(stamp(pair.a->value) != 0);
  set.bind(set.flat());
  CHECK(bench.ctx.to_host(pair.a->value) == std::vector<double>(15, 1.0));
  const uint64_t bound = stamp(pair.a->value);
  set.mark_changed();
  CHECK(stamp(pair.a->value) != bound);
  CHECK_THROWS_AS(set.bind(bench.normal({4015}, DType::f32, 1)), ShapeError);
}

TEST_CASE("gradients of watched parameters land in the flat array", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  Pair pair;
  ParameterSet set(bench.ctx, pair, DType::f32);
  const Tensor gradients = set.allocate_like(bench.ctx, MemoryKind::gradients);
  kernels::fill(bench.stream, gradients.view(), -1);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  set.watch(tape, gradients);
  const Tensor y = scale(ctx, pair.a->value, 5);
  tape.backward(ctx, y, bench.ctx.from_host(std::vector<double>(15, 1.0), {3, 5}, DType::f32));
  std::vector<double> expected(4016, 0.0);  // b does not take part: zeros
  std::fill_n(expected.begin(), 15, 5.0);
  expected[15] = -1;  // between the slices: not touched
  CHECK(ctx.to_host(gradients) == expected);
}

TEST_CASE("initial values depend on seed and name, not on order, device or company", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  Pair pair, swapped(true), other;
  ParameterSet set(bench.ctx, pair, DType::f32), reordered(bench.ctx, swapped, DType::f32),
      third(bench.ctx, other, DType::f32);
  set.initialise(bench.ctx, 7);
  reordered.initialise(bench.ctx, 7);
  third.initialise(bench.ctx, 8);
  const auto a = bench.ctx.to_host(pair.a->value), b = bench.ctx.to_host(pair.b->value);
  CHECK(bench.ctx.to_host(swapped.a->value) == a);
  CHECK(bench.ctx.to_host(swapped.b->value) == b);
  CHECK(bench.ctx.to_host(swapped.state->value) == bench.ctx.to_host(pair.state->value));
  CHECK(bench.ctx.to_host(other.b->value) != b);
  third.initialise(bench.ctx, 7, "critic.");
  CHECK(bench.ctx.to_host(other.b->value) != b);

  CHECK(*std::ranges::max_element(a) <= 1 / std::sqrt(5.0));
  CHECK(*std::ranges::min_element(a) >= -1 / std::sqrt(5.0));
  CHECK(*std::ranges::max_element(a) > 0);
  CHECK(*std::ranges::min_element(a) < 0);
  const double centre = mean(b);
  double square = 0;
  for (const double value : b) square += (value - centre) * (value - centre) / static_cast<double>(b.size());
  CHECK(centre == Approx(1).margin(4 * 0.02 / std::sqrt(4000.0)));  // four standard errors
  CHECK(std::sqrt(square) == Approx(0.02).epsilon(0.05));
  CHECK(bench.ctx.to_host(set.flat())[15] == 0);

  for (const Device device : test::devices()) {
    test::Bench there(device);
    Pair same;
    ParameterSet copy(there.ctx, same, DType::f32);
    copy.initialise(there.ctx, 7);
    CAPTURE(name(device));
    CHECK(there.ctx.to_host(copy.flat()) == bench.ctx.to_host(set.flat()));
  }
}

namespace {
/// A stack of two 3x3 matrices, which fill no slice, behind an odd parameter.
struct Stacked final : Module {
  Parameter* before = parameter("before", {5}, Init::zeros());
  ParameterStack* both = stack({"first", "second"}, "weight", {3, 3}, Init::normal(0, 1));
  Parameter* after = parameter("after", {2}, Init::zeros());
};
struct Outer final : Module {
  Stacked* inner = add<Stacked>("inner");
};
}  // namespace

TEST_CASE("stacked parameters keep their names and are one matrix in memory, gradients too", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  Outer outer;
  ParameterSet set(bench.ctx, outer, DType::f32);
  set.initialise(bench.ctx, 1);
  const ParameterStack& stack = *outer.inner->both;
  CHECK(stack.value.shape() == Shape{6, 3});
  CHECK(set.stacks() == std::vector<const ParameterStack*>{&stack});
  CHECK(set.flat().shape() == Shape{16 + 32 + 16});
  std::vector<double> parts;
  for (const char* name : {"inner.first.weight", "inner.second.weight"}) {
    REQUIRE(set.find(name));
    const std::vector<double> values = bench.ctx.to_host(set.find(name)->value);
    CHECK(values.size() == 9);
    parts.insert(parts.end(), values.begin(), values.end());
  }
  CHECK(bench.ctx.to_host(stack.value) == parts);
  CHECK(parts[0] != parts[9]);  // drawn by their names

  const Tensor average = set.allocate_like(bench.ctx, MemoryKind::parameters);
  const uint64_t before = stamp(stack.value);
  set.bind(average);
  CHECK(stamp(stack.value) != before);
  CHECK(bench.ctx.to_host(stack.value) == std::vector<double>(18, 0.0));
  set.bind(set.flat());
  const uint64_t bound = stamp(stack.value);
  set.mark_changed();
  CHECK(stamp(stack.value) != bound);

  const Tensor gradients = set.allocate_like(bench.ctx, MemoryKind::gradients);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  set.watch(tape, gradients);
  const Tensor y = scale(ctx, add(ctx, stack.value, stack.value), 1.5);
  const Tensor seed = ctx.empty_like(y);
  kernels::fill(bench.stream, seed.view(), 1);
  tape.backward(ctx, y, seed);
  std::vector<double> expected(64, 0.0);
  std::fill_n(expected.begin() + 16, 18, 3.0);
  CHECK(bench.ctx.to_host(gradients) == expected);
  CHECK(bench.ctx.to_host(set.slice(gradients, 2)) == std::vector<double>(9, 3.0));
}
