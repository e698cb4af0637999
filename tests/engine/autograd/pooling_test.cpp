#include "engine/autograd/operations.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

namespace {
std::vector<double> values(const Shape& shape) {
  return test::normals(static_cast<size_t>(shape.count()), 1);
}
}  // namespace

TEST_CASE("gradients of the pools agree with central differences") {
  const Shape x{2, 4, 6, 3};
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) {
        const Tensor pooled = mean_pool2(ctx, max_pool5(ctx, in[0]));
        return pixel_sum(ctx, upsample_nearest2(ctx, pooled));
      },
      {x}, {values(x)});
}

TEST_CASE("gradients of bilinear_resize agree with central differences") {
  const Shape x{1, 3, 4, 2};
  const auto [height, width] = GENERATE(table<int64_t, int64_t>({{7, 9}, {2, 2}, {3, 4}, {1, 5}}));
  test::check_gradients(
      [h = height, w = width](Ctx& ctx, const std::vector<Tensor>& in) { return bilinear_resize(ctx, in[0], h, w); },
      {x}, {values(x)});
}
