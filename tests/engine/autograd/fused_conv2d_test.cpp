#include "engine/autograd/fused_conv2d.hpp"

#include "engine/autograd/tape.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

#include <functional>

using namespace ascore;

namespace {

/// x [N,H,W,C], then two weights [C,3,3,C] and a bias [C].
const std::vector<Shape> kShapes{Shape{2, 4, 3, 3}, Shape{3, 3, 3, 3}, Shape{3, 3, 3, 3}, Shape{3}};
constexpr double kSlope = 0.2;

using Network = std::function<Tensor(Ctx&, const std::vector<Tensor>&, Activation)>;

/// A residual unit, whose first activation and result are as the caller of such units has them.
Tensor fused_unit(Ctx& ctx, const std::vector<Tensor>& in, Activation f) {
  const Activated x = activated(ctx, in[0], f, kSlope);
  const Activated h = fused_conv2d(ctx, x, in[1], in[3], {}, {.activation = f, .slope = kSlope});
  const Activated y =
      fused_conv2d(ctx, h, in[2], {}, {}, {.residual = in[0], .activation = f, .slope = kSlope, .keep_raw = true});
  return fused_conv2d(ctx, y, in[1], {}, {.dilation = 2}, {.residual = y.raw}).value;
}

Tensor plain_unit(Ctx& ctx, const std::vector<Tensor>& in, Activation f) {
  const Tensor h = activate(ctx, conv2d(ctx, activate(ctx, in[0], f, kSlope), in[1], in[3]), f, kSlope);
  const Tensor y = add(ctx, conv2d(ctx, h, in[2], {}), in[0]), active = activate(ctx, y, f, kSlope);
  return add(ctx, conv2d(ctx, active, in[1], {}, {.dilation = 2}), y);
}

std::vector<std::vector<double>> values() {
  std::vector<std::vector<double>> all;
  for (const Shape& shape : kShapes) all.push_back(test::normals(static_cast<size_t>(shape.count()), all.size() + 1));
  return all;
}

}  // namespace

TEST_CASE("gradients through convolutions with epilogues agree with central differences") {
  const auto f =
      GENERATE(Activation::identity, Activation::elu, Activation::leaky_relu, Activation::silu, Activation::sigmoid);
  CAPTURE(static_cast<int>(f));
  test::check_gradients([&](Ctx& ctx, const std::vector<Tensor>& in) { return fused_unit(ctx, in, f); }, kShapes,
                        values());
}

TEST_CASE("an activation may be read outside of convolutions, once and twice") {
  const auto f = GENERATE(Activation::elu, Activation::silu);
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        const Activated h = fused_conv2d(ctx, in[0], in[1], in[3], {}, {.activation = f});
        const Activated y = fused_conv2d(ctx, h, in[2], {}, {}, {.residual = h.value});
        return add(ctx, y.value, scale(ctx, h.value, 3));
      },
      kShapes, values());
}

TEST_CASE("a convolution may add what it was made of") {
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) {
        const Activated h =
            fused_conv2d(ctx, in[0], in[1], in[3], {}, {.residual = in[0], .activation = Activation::elu});
        return fused_conv2d(ctx, h, in[2], {}, {}, {.residual = h.value}).value;
      },
      kShapes, values());
}

TEST_CASE("a residual's gradient reaches a watched tensor that has a place of its own") {
  test::Bench bench(Device::cpu, DType::f64);
  std::vector<Tensor> in;
  for (size_t i = 0; i < kShapes.size(); ++i) in.push_back(bench.ctx.from_host(values()[i], kShapes[i], DType::f64));
  const auto gradient = [&](bool own_place) {
    Tape tape;
    Ctx ctx = bench.ctx;
    ctx.tape = &tape;
    const Tensor place = own_place ? ctx.empty_like(in[0]) : Tensor();
    tape.watch(in[0], place);
    const Tensor y = fused_unit(ctx, in, Activation::elu);
    tape.backward(ctx, y, bench.normal(y.shape(), DType::f64, 9));
    return bench.ctx.to_host(tape.gradient(in[0]));
  };
  CHECK(gradient(true) == gradient(false));
}

TEST_CASE("in f32 epilogues change no bit of results and gradients") {
  const auto f = GENERATE(Activation::identity, Activation::elu, Activation::leaky_relu, Activation::silu);
  CAPTURE(static_cast<int>(f));
  test::Bench bench(Device::cpu);
  std::vector<Tensor> in;
  for (size_t i = 0; i < kShapes.size(); ++i) in.push_back(bench.ctx.from_host(values()[i], kShapes[i], DType::f32));
  const auto run = [&](const Network& network) {
    Tape tape;
    Ctx ctx = bench.ctx;
    ctx.tape = &tape;
    for (const Tensor& x : in) tape.watch(x);
    const Tensor y = network(ctx, in, f);
    tape.backward(ctx, y, bench.normal(y.shape(), DType::f32, 9));
    std::vector<std::vector<double>> results{bench.ctx.to_host(y)};
    for (const Tensor& x : in) results.push_back(bench.ctx.to_host(tape.gradient(x)));
    return results;
  };
  const auto fused = run(fused_unit), plain = run(plain_unit);
  for (size_t i = 0; i < fused.size(); ++i) {
    CAPTURE(i);
    CHECK(fused[i] == plain[i]);
  }
}

TEST_CASE("without a tape a convolution keeps no sum that nobody wants") {
  test::Bench bench(Device::cpu);
  const Tensor x = bench.normal({1, 3, 4, 2}, DType::f32, 1), weight = bench.normal({2, 3, 3, 2}, DType::f32, 2);
  const Activated only = fused_conv2d(bench.ctx, x, weight, {}, {}, {.activation = Activation::silu});
  CHECK(only.raw.storage() == only.value.storage());
  const Activated both = fused_conv2d(bench.ctx, x, weight, {}, {}, {.activation = Activation::silu, .keep_raw = true});
  CHECK(both.raw.storage() != both.value.storage());
  CHECK(bench.ctx.to_host(activate(bench.ctx, both.raw, Activation::silu)) == bench.ctx.to_host(both.value));
}
