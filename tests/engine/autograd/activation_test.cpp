#include "engine/autograd/operations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of the activations agree with central differences") {
  const auto kind = GENERATE(Activation::identity, Activation::elu, Activation::relu, Activation::leaky_relu,
                             Activation::silu, Activation::sigmoid);
  CAPTURE(int(kind));
  auto values = test::normals(24, 1);
  for (double& value : values) value += value < 0 ? -0.01 : 0.01;  // away from the kink
  test::check_gradients(
      [kind](Ctx& ctx, const std::vector<Tensor>& in) {
        return activate(ctx, scale(ctx, in[0], 1.5), kind, 0.1);  // backward may not rely on the leaf itself
      },
      {Shape{2, 3, 4}}, {values});
}
