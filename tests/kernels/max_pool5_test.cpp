#include "kernels/max_pool5/max_pool5.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <array>

using namespace ascore;

namespace {

struct Results {
  std::vector<double> y, winner, dx;
};

/// Plain loops: the first of the largest in row order; the gradient goes where the maximum came from.
Results plain(const Shape& shape, const std::vector<double>& x, const std::vector<double>& dy) {
  const int64_t H = shape[1], W = shape[2], C = shape[3];
  Results r{std::vector<double>(x.size()), std::vector<double>(x.size()), std::vector<double>(x.size())};
  for (int64_t i = 0; i < int64_t(x.size()); ++i) {
    const int64_t w = i / C % W, h = i / (C * W) % H;
    int64_t best = -1;
    for (int64_t k = 0; k < 25; ++k) {
      const int64_t row = k / 5 - 2, column = k % 5 - 2, at = i + (row * W + column) * C;
      if (h + row < 0 || h + row >= H || w + column < 0 || w + column >= W) continue;
      if (best >= 0 && x[size_t(at)] <= x[size_t(best)]) continue;
      best = at;
      r.winner[size_t(i)] = double(k);
    }
    r.y[size_t(i)] = x[size_t(best)];
    r.dx[size_t(best)] += dy[size_t(i)];
  }
  return r;
}

}  // namespace

TEST_CASE("max_pool5, its winners and its gradient agree with plain loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers, test::Fill::constant);  // ties, and nothing but
  const Shape shape = GENERATE(Shape{1, 1, 1, 1}, Shape{2, 9, 6, 3}, Shape{1, 3, 11, 35}, Shape{1, 17, 2, 2},
                               Shape{0, 4, 4, 2}, Shape{2, 0, 4, 2});
  CAPTURE(name(device), name(dtype), int(fill), to_string(shape));
  const auto x = test::data(device, shape, dtype, fill, 1);
  const auto dy = test::data(device, shape, dtype, test::Fill::integers, 2);  // exact sums
  const auto expected = plain(shape, x.values(), dy.values());
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype), dx = test::poisoned(device, shape, dtype);
    auto alone = test::poisoned(device, shape, dtype), winner = test::poisoned(device, shape, DType::u8);
    kernels::max_pool5(stream, x, y, winner);
    kernels::max_pool5(stream, x, alone, {});
    kernels::max_pool5_backward(stream, winner, dy, dx);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK(y.values() == expected.y);
    CHECK(alone.values() == expected.y);
    CHECK(winner.values() == expected.winner);
    CHECK(dx.values() == expected.dx);
  }
}

TEST_CASE("a NaN wins every window that it is in") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  std::vector<double> values(7 * 7, 1.0);
  values[3 * 7 + 3] = std::nan("");
  const auto x = test::buffer(device, {1, 7, 7, 1}, DType::f32, values);
  auto y = test::poisoned(device, {1, 7, 7, 1});
  kernels::max_pool5(stream, x, y, {});
  stream.synchronize();
  const auto ys = y.values();
  for (size_t i = 0; i < ys.size(); ++i) {
    const bool near = i / 7 >= 1 && i / 7 <= 5 && i % 7 >= 1 && i % 7 <= 5;
    CHECK(std::isnan(ys[i]) == near);
  }
}

TEST_CASE("max_pool5 refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {1, 4, 4, 2}), y = test::poisoned(device, {1, 4, 4, 2});
  auto wrong = test::poisoned(device, {1, 4, 5, 2}), half = test::poisoned(device, {1, 4, 4, 2}, DType::bf16);
  CHECK_THROWS_AS(kernels::max_pool5(stream, x, wrong, {}), ShapeError);
  CHECK_THROWS_AS(kernels::max_pool5(stream, x, half, {}), DTypeError);
  CHECK_THROWS_AS(kernels::max_pool5(stream, x, y, half), DTypeError);
}
