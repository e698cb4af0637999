#include "engine/autograd/upsampled_conv2d.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/core/hopper_device.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <cmath>
#include <functional>

using namespace ascore;

namespace {

using Values = std::vector<double>;
using Layer = std::function<Tensor(Ctx&, const Tensor& x, const Tensor& weight, const Tensor& bias)>;

Tensor composed(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  return conv2d(ctx, upsample_nearest2(ctx, x), weight, bias);
}

/// y and the gradients of x, weight and bias.
std::vector<Values> results(Device device, DType compute, const Shape& image, int64_t out, bool hopper,
                            const Layer& layer) {
  test::Bench bench(device, compute);
  if (hopper) bench.stream.attached<kernels::EmulatedHopper>().device.present = true;
  Ctx ctx = bench.ctx;
  const auto images = [&](const Shape& shape, uint64_t seed) {
    const Tensor wide = bench.normal(shape, DType::f32, seed);
    return compute == DType::f32 ? wide : cast(ctx, wide, compute);
  };
  const Tensor x = images(image, 1), dy = images({image[0], 2 * image[1], 2 * image[2], out}, 2);
  const Tensor weight = bench.normal({out, 3, 3, image[3]}, DType::f32, 3), bias = bench.normal({out}, DType::f32, 4);
  Tape tape;
  ctx.tape = &tape;
  for (const Tensor& input : {x, weight, bias}) tape.watch(input);
  const Tensor y = layer(ctx, x, weight, bias);
  tape.backward(ctx, y, dy);
  test::require_kernels_ran(bench.stream);
  return {ctx.to_host(y), ctx.to_host(tape.gradient(x)), ctx.to_host(tape.gradient(weight)),
          ctx.to_host(tape.gradient(bias))};
}

}  // namespace

TEST_CASE("an upsampled convolution is what doubling and convolving are, and so are its gradients, on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto compute = GENERATE(DType::f32, DType::bf16);
  const bool hopper = GENERATE(false, true) && device == Device::simt && compute == DType::bf16;
  const Shape image = hopper ? Shape{2, 5, 4, 32} : Shape{2, 5, 3, 12};
  const int64_t out = hopper ? 40 : 9;
  CAPTURE(name(device), name(compute), hopper);
  const auto one = results(device, compute, image, out, hopper, upsampled_conv2d);
  const auto two = results(device, compute, image, out, hopper, composed);
  // f32: the same products, added in another order. bf16: here sums of weights are rounded and the result; there the
  // weights, the doubled image's gradient and the result: five roundings, each by 2^-9 of itself at most.
  const double tolerance = compute == DType::f32 ? 1e-6 : 5 * std::exp2(-9);
  for (size_t i = 0; i < one.size(); ++i) {
    CAPTURE(i);
    CHECK(test::relative_error(one[i], two[i]) < tolerance);
  }
}
