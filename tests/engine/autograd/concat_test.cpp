#include "engine/autograd/concat.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of concat_channels agree with central differences") {
  const Shape a{2, 3, 2, 3}, b{2, 3, 2, 4};
  const auto values = [](const Shape& shape, uint64_t seed) {
    return test::normals(static_cast<size_t>(shape.count()), seed);
  };
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return concat_channels(ctx, in[0], in[1]); },
                        {a, b}, {values(a, 1), values(b, 2)});
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return concat_channels(ctx, in[0], in[0]); }, {a},
                        {values(a, 3)});
}
