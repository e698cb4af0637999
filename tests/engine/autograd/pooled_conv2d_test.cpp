#include "engine/autograd/pooled_conv2d.hpp"

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

TEST_CASE("a pooled convolution is a convolution and then the means of its squares") {
  const auto kernel = GENERATE(1, 3, 5);
  const std::vector<Shape> shapes{Shape{2, 6, 4, 3}, Shape{5, kernel, kernel, 3}, Shape{5}};
  const auto values = normals(shapes);
  test::Bench bench(Device::cpu, DType::f64);
  std::vector<Tensor> in;
  for (size_t i = 0; i < shapes.size(); ++i) in.push_back(bench.ctx.from_host(values[i], shapes[i], DType::f64));
  const auto one = bench.ctx.to_host(pooled_conv2d(bench.ctx, in[0], in[1], in[2], {}).value);
  const auto two = bench.ctx.to_host(mean_pool2(bench.ctx, conv2d(bench.ctx, in[0], in[1], in[2])));
  CHECK(test::relative_error(one, two) < 1e-14);
}

TEST_CASE("gradients of a pooled convolution agree with central differences") {
  const auto kernel = GENERATE(1, 3);
  const std::vector<Shape> shapes{Shape{2, 4, 6, 3}, Shape{2, kernel, kernel, 3}, Shape{2}, Shape{2, 2, 3, 2}};
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) {
        return pooled_conv2d(ctx, activated(ctx, in[0], Activation::elu), in[1], in[2],
                             {.residual = in[3], .activation = Activation::elu})
            .value;
      },
      shapes, normals(shapes));
}

TEST_CASE("a pooled convolution refuses odd sides") {
  test::Bench bench(Device::cpu);
  const Tensor x = bench.normal({1, 3, 4, 2}, DType::f32, 1), weight = bench.normal({2, 3, 3, 2}, DType::f32, 2);
  CHECK_THROWS_AS(pooled_conv2d(bench.ctx, x, weight, {}, {}), ShapeError);
}
