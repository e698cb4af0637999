#include "engine/autograd/operations.hpp"
#include "engine/nn/layers.hpp"
#include "engine/nn/parameters.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of conv2d agree with central differences") {
  struct Case {
    Shape x, weight;
    int dilation, stride;
    bool bias;
  };
  const auto c = GENERATE(
      Case{Shape{2, 4, 3, 3}, Shape{5, 3, 3, 3}, 1, 1, true}, Case{Shape{1, 5, 5, 2}, Shape{3, 3, 3, 2}, 2, 1, false},
      Case{Shape{2, 3, 4, 3}, Shape{2, 3, 3, 3}, 4, 1, true}, Case{Shape{3, 2, 2, 4}, Shape{3, 1, 1, 4}, 1, 1, true},
      Case{Shape{2, 5, 4, 3}, Shape{4, 3, 3, 3}, 1, 2, true}, Case{Shape{1, 6, 7, 2}, Shape{3, 3, 3, 2}, 2, 2, false},
      Case{Shape{1, 5, 6, 2}, Shape{3, 1, 1, 2}, 1, 2, true}, Case{Shape{1, 7, 5, 2}, Shape{2, 5, 5, 2}, 1, 3, true},
      Case{Shape{2, 6, 4, 2}, Shape{3, 4, 4, 2}, 1, 2, true});
  CAPTURE(to_string(c.x), to_string(c.weight), c.dilation, c.stride);
  std::vector<Shape> shapes{c.x, c.weight};
  if (c.bias) shapes.push_back(Shape{c.weight[0]});
  std::vector<std::vector<double>> values;
  for (const Shape& shape : shapes)
    values.push_back(test::normals(static_cast<size_t>(shape.count()), values.size() + 1));
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        return conv2d(ctx, in[0], in[1], in.size() > 2 ? in[2] : Tensor{},
                      {.stride = c.stride, .dilation = c.dilation});
      },
      shapes, values);
}

TEST_CASE("gradients of linear agree with central differences") {
  const bool with_bias = GENERATE(true, false);
  std::vector<Shape> shapes{Shape{5, 3}, Shape{4, 3}};
  if (with_bias) shapes.push_back(Shape{4});
  std::vector<std::vector<double>> values;
  for (const Shape& shape : shapes)
    values.push_back(test::normals(static_cast<size_t>(shape.count()), values.size() + 1));
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        return linear(ctx, in[0], in[1], in.size() > 2 ? in[2] : Tensor{});
      },
      shapes, values);
}

TEST_CASE("bf16 activations beside f32 parameters: outputs stay bf16, parameter gradients f32") {
  test::Bench bench(Device::cpu, DType::bf16);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  const auto half = [&](const Shape& shape, uint64_t seed) {
    const auto source = test::data(Device::cpu, shape, DType::bf16, test::Fill::normal, seed);
    Tensor x = ctx.empty(shape, DType::bf16);
    copy(ctx.stream, x, source);
    return x;
  };
  const Tensor x = half({2, 4, 4, 3}, 1), seed = half({2, 4, 4, 5}, 2);
  const Tensor weight = bench.normal({5, 3, 3, 3}, DType::f32, 3), bias = bench.normal({5}, DType::f32, 4);
  for (const Tensor& t : {x, weight, bias}) tape.watch(t);
  const Tensor y = conv2d(ctx, x, weight, bias);
  CHECK(y.dtype() == DType::bf16);
  tape.backward(ctx, y, seed);
  CHECK(tape.gradient(x).dtype() == DType::bf16);
  CHECK(tape.gradient(weight).dtype() == DType::f32);
  CHECK(tape.gradient(bias).dtype() == DType::f32);
}

TEST_CASE("products refuse tensors of the wrong rank and strides below 1") {
  test::Bench bench(Device::cpu);
  const Tensor x = bench.normal({2, 4}, DType::f32, 1), weight = bench.normal({3, 4}, DType::f32, 2);
  CHECK_THROWS(conv2d(bench.ctx, x, weight, {}));
  const Tensor image = bench.normal({1, 4, 4, 3}, DType::f32, 1), kernel = bench.normal({3, 3, 3, 3}, DType::f32, 2);
  CHECK_THROWS(linear(bench.ctx, image, kernel, {}));
  CHECK_THROWS(conv2d(bench.ctx, image, kernel, {}, {.stride = 0}));
}

TEST_CASE("Conv2d of stride 2 has half the outputs each way") {
  test::Bench bench(Device::cpu);
  Conv2d layer(3, 4, 3, 1, true, 2);
  ParameterSet parameters(bench.ctx, layer, DType::f32);
  parameters.initialise(bench.ctx, 1);
  CHECK(layer.forward(bench.ctx, bench.normal({2, 8, 5, 3}, DType::f32, 1)).shape() == Shape{2, 4, 3, 4});
}
