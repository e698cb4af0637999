#include "engine/autograd/upsampled_conv2d.hpp"

#include "engine/autograd/operations.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

namespace {
std::vector<std::vector<double>> normals(const std::vector<Shape>& shapes) {
  std::vector<std::vector<double>> values;
  for (const Shape& shape : shapes)
    values.push_back(test::normals(static_cast<size_t>(shape.count()), values.size() + 1));
  return values;
}
}  // namespace

TEST_CASE("an upsampled convolution is a doubling by nearest neighbours and then a convolution") {
  const auto kernel = GENERATE(1, 3, 5);
  const std::vector<Shape> shapes{Shape{2, 5, 3, 4}, Shape{6, kernel, kernel, 4}, Shape{6}};
  const auto values = normals(shapes);
  test::Bench bench(Device::cpu, DType::f64);
  std::vector<Tensor> in;
  for (size_t i = 0; i < shapes.size(); ++i) in.push_back(bench.ctx.from_host(values[i], shapes[i], DType::f64));
  const auto one = bench.ctx.to_host(upsampled_conv2d(bench.ctx, in[0], in[1], in[2]));
  const auto two = bench.ctx.to_host(conv2d(bench.ctx, upsample_nearest2(bench.ctx, in[0]), in[1], in[2]));
  CHECK(test::relative_error(one, two) < 1e-14);
}

TEST_CASE("gradients of an upsampled convolution agree with central differences") {
  const auto kernel = GENERATE(1, 3);
  const std::vector<Shape> shapes{Shape{2, 3, 4, 3}, Shape{2, kernel, kernel, 3}, Shape{2}};
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) {
        const Tensor y = upsampled_conv2d(ctx, in[0], in[1], in[2]);
        return add(ctx, activate(ctx, y, Activation::elu), upsampled_conv2d(ctx, in[0], in[1], {}));
      },
      shapes, normals(shapes));
}

TEST_CASE("an upsampled convolution refuses even kernels") {
  test::Bench bench(Device::cpu);
  const Tensor x = bench.normal({1, 3, 4, 2}, DType::f32, 1), weight = bench.normal({2, 4, 4, 2}, DType::f32, 2);
  CHECK_THROWS_AS(upsampled_conv2d(bench.ctx, x, weight, {}), ShapeError);
}
