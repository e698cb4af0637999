#include "kernels/max_pool2/max_pool2.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <cmath>

using namespace ascore;

TEST_CASE("max_pool2, its winners and its gradient agree with plain loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers, test::Fill::constant);  // ties, and nothing but
  const Shape shape = GENERATE(Shape{1, 2, 2, 1}, Shape{2, 4, 10, 35}, Shape{1, 6, 2, 3}, Shape{0, 4, 4, 2});
  CAPTURE(name(device), name(dtype), int(fill), to_string(shape));
  const Shape small{shape[0], shape[1] / 2, shape[2] / 2, shape[3]};
  const auto x = test::data(device, shape, dtype, fill, 1);
  const auto dy = test::data(device, small, dtype, test::Fill::normal, 2);
  const auto xs = x.values(), dys = dy.values();
  std::vector<double> y, winner, dx(xs.size());
  for (int64_t i = 0; i < small.count(); ++i) {
    const int64_t c = i % shape[3], w = i / shape[3] % small[2], row = i / (shape[3] * small[2]);
    const auto at = [&](int64_t k) { return size_t(((2 * row + k / 2) * shape[2] + 2 * w + k % 2) * shape[3] + c); };
    int64_t best = 0;
    for (int64_t k = 1; k < 4; ++k) best = xs[at(k)] > xs[at(best)] ? k : best;
    y.push_back(xs[at(best)]);
    winner.push_back(double(best));
    dx[at(best)] = dys[size_t(i)];
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto to_y = test::poisoned(device, small, dtype), alone = test::poisoned(device, small, dtype);
    auto to_dx = test::poisoned(device, shape, dtype), to_winner = test::poisoned(device, small, DType::u8);
    kernels::max_pool2(stream, x, to_y, to_winner);
    kernels::max_pool2(stream, x, alone, {});
    kernels::max_pool2_backward(stream, to_winner, dy, to_dx);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK(to_y.values() == y);
    CHECK(alone.values() == y);
    CHECK(to_winner.values() == winner);
    CHECK(to_dx.values() == dx);
  }
}

TEST_CASE("a NaN wins its block of max_pool2") {
  const auto device = GENERATE(from_range(test::devices()));
  const size_t place = GENERATE(0u, 1u, 4u, 5u);
  Stream stream(device);
  std::vector<double> values(8, 1.0);
  values[place] = std::nan("");
  const auto x = test::buffer(device, {1, 2, 4, 1}, DType::f32, values);
  auto y = test::poisoned(device, {1, 1, 2, 1});
  kernels::max_pool2(stream, x, y, {});
  stream.synchronize();
  CHECK(std::isnan(y.values()[0]));
  CHECK(y.values()[1] == 1);
}

TEST_CASE("max_pool2 refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto y = test::poisoned(device, {1, 2, 2, 2}), half = test::poisoned(device, {1, 2, 2, 2}, DType::bf16);
  const auto x = test::data(device, {1, 4, 4, 2});
  CHECK_THROWS_AS(kernels::max_pool2(stream, test::data(device, {1, 5, 4, 2}), y, {}), ShapeError);
  CHECK_THROWS_AS(kernels::max_pool2(stream, test::data(device, {1, 4, 6, 2}), y, {}), ShapeError);
  CHECK_THROWS_AS(kernels::max_pool2(stream, x, half, {}), DTypeError);
  CHECK_THROWS_AS(kernels::max_pool2(stream, x, y, y), DTypeError);
}
