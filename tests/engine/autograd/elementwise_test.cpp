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
