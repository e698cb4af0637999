#include "engine/autograd/transpose.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of transpose agree with central differences") {
  const Shape x{2, 3, 5};
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return transpose(ctx, in[0]); }, {x},
                        {test::normals(30, 1)});
}
