#include "engine/autograd/normalization.hpp"
#include "engine/nn/normalization_layers.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of group_norm agree with central differences") {
  const Shape x = GENERATE(Shape{2, 3, 4, 6}, Shape{1, 2, 3, 66});
  const auto activation = GENERATE(Activation::identity, Activation::silu);
  const int64_t groups = GENERATE(1, 3, 6);
  const Shape c{x[3]};
  const auto n = static_cast<size_t>(x[3]);
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        return group_norm(ctx, in[0], in[1], in[2], groups, 1e-6, activation);
      },
      {x, c, c}, {test::normals(static_cast<size_t>(x.count()), 1), test::normals(n, 2), test::normals(n, 3)});
}

TEST_CASE("a GroupNorm layer refuses groups that do not divide its channels") {
  CHECK_THROWS_AS(GroupNorm(12, 5, 1e-6), ConfigError);
  GroupNorm layer(12, 4, 1e-6);
  REQUIRE(layer.parameters().size() == 2);
  CHECK(layer.parameters()[0]->name == "weight");
  CHECK(layer.parameters()[1]->name == "bias");
}
