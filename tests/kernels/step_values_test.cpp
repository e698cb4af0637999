#include "kernels/step_values/step_values.hpp"

#include "kernels/affine/affine.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {
using Values = std::vector<double>;
}

TEST_CASE("rows of a table come one after another, and the last one for ever") {
  const auto device = GENERATE(from_range(test::devices()));
  const int64_t width = GENERATE(1, 3, 32);
  CAPTURE(name(device), width);
  const auto table = test::data(device, {3, width}, DType::f64);
  const Values all = table.values();
  for (const uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto position = test::buffer(device, {1}, DType::f64, Values{0});
    for (const int64_t expected : {0, 1, 2, 2, 2}) {
      auto row = test::poisoned(device, {width}, DType::f64);
      kernels::next_row(stream, table, position, row);
      stream.synchronize();
      CHECK(row.values() == Values(all.begin() + expected * width, all.begin() + (expected + 1) * width));
    }
    CHECK(position.values() == Values{5});
    test::require_kernels_ran(stream);
  }
}

TEST_CASE("a number in device memory fills, and scales with the bits of affine") {
  const auto device = GENERATE(from_range(test::devices()));
  const Shape shape = GENERATE(Shape{1}, Shape{3, 7, 5, 2}, Shape{1027}, Shape{0, 4});
  const double value = GENERATE(0.1, -1234.56789);
  CAPTURE(name(device), to_string(shape), value);
  Stream stream(device);
  const auto number = test::buffer(device, {1}, DType::f64, Values{value});
  const auto x = test::data(device, shape);
  auto filled = test::poisoned(device, shape), scaled = test::poisoned(device, shape),
       expected = test::poisoned(device, shape);
  kernels::fill_with(stream, number, filled);
  kernels::scale_with(stream, x, number, scaled);
  kernels::affine(stream, x, value, 0, expected);
  stream.synchronize();
  CHECK(filled.values() == Values(static_cast<size_t>(shape.count()), test::round_f32(value)));
  CHECK(scaled.values() == expected.values());
  if (shape.count()) {
    test::require_kernels_ran(stream);
    CHECK(scaled.values()[0] == Approx(value * x.values()[0]).epsilon(1e-6));
  }
}

TEST_CASE("operations on step values refuse what does not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto table = test::data(device, {2, 3}, DType::f64), wide = test::data(device, {1, 33}, DType::f64);
  auto position = test::data(device, {1}, DType::f64), row = test::poisoned(device, {3}, DType::f64),
       long_row = test::poisoned(device, {33}, DType::f64), y = test::poisoned(device, {4});
  CHECK_THROWS_AS(kernels::next_row(stream, wide, position, long_row), ShapeError);
  CHECK_THROWS_AS(kernels::next_row(stream, table, position, position), ShapeError);
  CHECK_THROWS_AS(kernels::next_row(stream, table, y, row), ShapeError);
  CHECK_THROWS_AS(kernels::fill_with(stream, row, y), ShapeError);
  CHECK_THROWS_AS(kernels::fill_with(stream, test::data(device, {1}), y), DTypeError);
  CHECK_THROWS_AS(kernels::scale_with(stream, test::data(device, {3}), position, y), ShapeError);
  CHECK_THROWS_AS(kernels::scale_with(stream, y, test::data(device, {1}), y), DTypeError);
}
