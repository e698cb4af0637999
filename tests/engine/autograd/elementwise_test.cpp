#include "engine/autograd/operations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of add, scale and reshape agree with central differences") {
  const Shape shape{2, 3};
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) {
        return reshape(ctx, add(ctx, scale(ctx, in[0], -2.5), in[1]), Shape{6});
      },
      {shape, shape}, {test::normals(6, 1), test::normals(6, 2)});
}

TEST_CASE("a tensor used several times gets the sum of its gradients, and its twin's gradient stays its own") {
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) {
        const Tensor sum = add(ctx, in[0], in[1]);
        const Tensor more = add(ctx, sum, scale(ctx, in[0], 3));
        return add(ctx, add(ctx, more, more), in[1]);
      },
      {Shape{4}, Shape{4}}, {test::normals(4, 1), test::normals(4, 2)});
}

TEST_CASE("gradients of affine, clamp, cast and append_column agree with central differences") {
  const auto c = test::normals(4, 3);
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        const Tensor clamped = clamp(ctx, affine(ctx, in[0], 2, -1), -0.5, 0.5);
        return append_column(ctx, cast(ctx, clamped, DType::f64), ctx.from_host(c, Shape{4}, DType::f64));
      },
      {Shape{4, 3}}, {{0.1, 0.3, 0.5, 0.7, 0.9, 0.2, 0.4, 0.6, 0.8, -3, 3, 0.5}});
}

TEST_CASE("the gradient of cast comes back in the type of its input") {
  test::Bench bench(Device::cpu);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const Tensor x = bench.normal({5}, DType::f32, 1);
  tape.watch(x);
  const Tensor y = cast(ctx, x, DType::bf16);
  const Tensor seed = cast(bench.ctx, bench.normal({5}, DType::f32, 2), DType::bf16);
  tape.backward(ctx, y, seed);
  CHECK(tape.gradient(x).dtype() == DType::f32);
  CHECK(ctx.to_host(tape.gradient(x)) == ctx.to_host(seed));
}
