#include "engine/autograd/max_pool2.hpp"

#include "engine/autograd/pad_top_left.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of max_pool2 and pad_top_left agree with central differences") {
  const Shape odd{2, 3, 5, 3}, even{2, 4, 6, 2};
  const auto values = [](const Shape& shape) { return test::normals(static_cast<size_t>(shape.count()), 1); };
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return pad_top_left(ctx, in[0]); }, {odd},
                        {values(odd)});
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return max_pool2(ctx, in[0]); }, {even},
                        {values(even)});
}
