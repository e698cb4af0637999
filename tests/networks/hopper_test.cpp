#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/core/hopper_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

struct Result {
  std::vector<double> y, dx, dweight;
  uint64_t threads, blocks, launches;  ///< of the forward pass
};

/// Of a layer's input, weight and output.
struct Shapes {
  Shape x, weight, y;
};

/// A layer in bf16 with its parameters of f32, forward and backward.
template <class Layer>
Result run(bool hopper, const Shapes& shapes, Layer layer) {
  test::Bench bench(Device::simt, DType::bf16);
  bench.stream.attached<kernels::EmulatedHopper>().device.present = hopper;
  Tape tape;
  Ctx ctx = bench.ctx;
  const Tensor x = cast(ctx, bench.normal(shapes.x, DType::f32, 1), DType::bf16);
  const Tensor seed = cast(ctx, bench.normal(shapes.y, DType::f32, 2), DType::bf16);
  const Tensor weight = bench.normal(shapes.weight, DType::f32, 3), bias = bench.normal({40}, DType::f32, 4);
  ctx.tape = &tape;
  tape.watch(x);
  tape.watch(weight);
  const SimtCounters before = bench.stream.simt_counters();
  const Tensor y = layer(ctx, x, weight, bias);
  const SimtCounters after = bench.stream.simt_counters();
  tape.backward(ctx, y, seed);
  return {ctx.to_host(y),
          ctx.to_host(tape.gradient(x)),
          ctx.to_host(tape.gradient(weight)),
          after.threads - before.threads,
          after.blocks - before.blocks,
          after.launches - before.launches};
}

}  // namespace

TEST_CASE("the engine's convolutions and linear layers run on Hopper's instructions where the device has them") {
  if (test::devices() != std::vector{Device::simt}) return;
  const auto check = [](const Shapes& shapes, auto layer) {
    const Result plain = run(false, shapes, layer), hopper = run(true, shapes, layer);
    CHECK(plain.launches == 1);
    CHECK(hopper.launches == 2);  // rounds the weights, then multiplies
    CHECK(hopper.threads > 384);
    // Sums in another order: bf16 results differ by a rounding at most here and there, f32 ones by theirs.
    CHECK(test::relative_error(hopper.y, plain.y) < 1e-3);
    CHECK(test::relative_error(hopper.dx, plain.dx) < 1e-3);
    CHECK(test::relative_error(hopper.dweight, plain.dweight) < 1e-5);
  };
  check({{2, 5, 6, 32}, {40, 3, 3, 32}, {2, 5, 6, 40}},
        [](Ctx& ctx, const Tensor& x, const Tensor& w, const Tensor& b) { return conv2d(ctx, x, w, b, {}); });
  check(
      {{2, 8, 6, 32}, {40, 4, 4, 32}, {2, 4, 3, 40}},
      [](Ctx& ctx, const Tensor& x, const Tensor& w, const Tensor& b) { return conv2d(ctx, x, w, b, {.stride = 2}); });
  check({{7, 32}, {40, 32}, {7, 40}},
        [](Ctx& ctx, const Tensor& x, const Tensor& w, const Tensor& b) { return linear(ctx, x, w, b); });
}
