#include "engine/autograd/attention.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

namespace {
std::vector<double> values(const Shape& shape, uint64_t seed) {
  return test::normals(static_cast<size_t>(shape.count()), seed);
}
}  // namespace

TEST_CASE("gradients of attention agree with central differences") {
  const auto [M, P, D, E] =
      GENERATE(table<int64_t, int64_t, int64_t, int64_t>({{5, 7, 3, 2}, {70, 3, 2, 4}, {3, 66, 4, 1}}));
  const Shape q{2, M, D}, k{2, P, D}, v{2, P, E};
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) { return attention(ctx, in[0], in[1], in[2], 0.7); }, {q, k, v},
      {values(q, 1), values(k, 2), values(v, 3)});
}

TEST_CASE("attention of one tensor with itself adds its three gradients up") {
  const Shape x{1, 6, 4};
  test::check_gradients(
      [](Ctx& ctx, const std::vector<Tensor>& in) { return attention(ctx, in[0], in[0], in[0], 0.5); }, {x},
      {values(x, 4)});
}

TEST_CASE("gradients of attention_qkv agree with central differences") {
  const Shape qkv = GENERATE(Shape{2, 5, 6}, Shape{1, 66, 9});
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return attention_qkv(ctx, in[0], 0.6); }, {qkv},
                        {values(qkv, 5)});
}
