#include "engine/autograd/joined.hpp"

#include "engine/autograd/operations.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

namespace {
std::vector<double> values(const Shape& shape, uint64_t seed) {
  return test::normals(static_cast<size_t>(shape.count()), seed);
}
}  // namespace

TEST_CASE("gradients of joined_group_norm agree with central differences") {
  const auto activation = GENERATE(Activation::identity, Activation::silu);
  const int64_t groups = GENERATE(1, 2, 4);
  const Shape a{2, 3, 4, 5}, b{2, 3, 4, 3}, c{8};
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        return joined_group_norm(ctx, in[0], in[1], in[2], in[3], groups, 1e-6, activation);
      },
      {a, b, c, c}, {values(a, 1), values(b, 2), values(c, 3), values(c, 4)});
}

TEST_CASE("gradients of joined_pixel_linear agree with central differences") {
  const Shape a{2, 3, 2, 5}, b{2, 3, 2, 3}, weight{4, 8}, bias{4};
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) { return joined_pixel_linear(ctx, in[0], in[1], in[2], in[3]); },
      {a, b, weight, bias}, {values(a, 1), values(b, 2), values(weight, 3), values(bias, 4)});
}

TEST_CASE("gradients of a residual block of joined images add up") {
  const Shape a{2, 3, 2, 5}, b{2, 3, 2, 3}, weight{8, 8};
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        const Tensor h = joined_group_norm(ctx, in[0], in[1], {}, {}, 2, 1e-6, Activation::silu);  // [2,3,2,8]
        return add(ctx, h, joined_pixel_linear(ctx, in[0], in[1], in[2], {}));
      },
      {a, b, weight}, {values(a, 1), values(b, 2), values(weight, 3)});
}

TEST_CASE("joined_pixel_linear refuses weights of other widths") {
  test::Bench bench(Device::cpu);
  const Tensor a = bench.normal({1, 2, 3, 4}, DType::f32, 1), b = bench.normal({1, 2, 3, 2}, DType::f32, 2);
  CHECK_THROWS_AS(joined_pixel_linear(bench.ctx, a, b, bench.normal({3, 5}, DType::f32, 3), {}), ShapeError);
  CHECK_THROWS_AS(joined_group_norm(bench.ctx, a, bench.normal({1, 6}, DType::f32, 2), {}, {}, 2, 1e-6), ShapeError);
}
