#include "engine/autograd/normalization.hpp"

#include "engine/autograd/operations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of instance_norm_plus agree with central differences") {
  const Shape x = GENERATE(Shape{2, 3, 4, 5}, Shape{1, 2, 1, 2});
  const Shape c{x[3]};
  const auto n = static_cast<size_t>(x[3]);
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) { return instance_norm_plus(ctx, in[0], in[1], in[2], in[3]); },
      {x, c, c, c},
      {test::normals(static_cast<size_t>(x.count()), 1), test::normals(n, 2), test::normals(n, 3),
       test::normals(n, 4)});
}

TEST_CASE("gradients of an activated instance_norm_plus agree with central differences, beside another way of x") {
  const auto f = GENERATE(Activation::elu, Activation::leaky_relu, Activation::silu);
  const std::vector<Shape> shapes{Shape{2, 3, 4, 3}, Shape{3}, Shape{3}, Shape{3}};
  std::vector<std::vector<double>> values;
  for (const Shape& shape : shapes)
    values.push_back(test::normals(static_cast<size_t>(shape.count()), values.size() + 1));
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        const Tensor x = scale(ctx, in[0], 2);
        const Activated y = instance_norm_plus(ctx, x, in[1], in[2], in[3], f, 0.2);
        return add(ctx, add(ctx, y.value, x), y.value);
      },
      shapes, values);
}
