#include "kernels/affine/affine.hpp"
#include "kernels/append_column/append_column.hpp"
#include "kernels/cast/cast.hpp"
#include "kernels/clamp/clamp.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {
double rounded(DType dtype, double value) {
  return dtype == DType::bf16 ? test::round_bf16(value) : test::round_f32(value);
}
}  // namespace

TEST_CASE("affine agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const Shape shape = GENERATE(Shape{1}, Shape{3, 7, 5, 2}, Shape{1027}, Shape{0, 4});
  CAPTURE(name(device), name(dtype), to_string(shape));
  const auto x = test::data(device, shape, dtype);
  const auto xs = x.values();
  std::vector<double> reference, naive;
  for (double value : xs) {
    reference.push_back(0.3 * value - 1.7);
    naive.push_back(rounded(dtype, test::round_f32(test::round_f32(0.3f * value) - 1.7f)));
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype);
    kernels::affine(stream, x, 0.3, -1.7, y);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(naive, reference));
  }
}

TEST_CASE("clamp cuts at both ends, and lets the gradient pass on the borders") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  CAPTURE(name(device), name(dtype));
  Stream stream(device);
  const std::vector<double> xs{-0.5, 0, 0.25, 1, 1.5, -100, 100}, dys{1, 2, 3, 4, 5, 6, 7};
  const auto x = test::buffer(device, {7}, dtype, xs), dy = test::buffer(device, {7}, dtype, dys);
  auto y = test::poisoned(device, {7}, dtype), dx = test::poisoned(device, {7}, dtype);
  kernels::clamp(stream, x, 0, 1, y);
  kernels::clamp_backward(stream, x, dy, 0, 1, dx);
  stream.synchronize();
  test::require_kernels_ran(stream);
  CHECK(y.values() == std::vector<double>{0, 0, 0.25, 1, 1, 0, 1});
  CHECK(dx.values() == std::vector<double>{0, 2, 3, 4, 0, 0, 0});
  const auto nan = test::buffer(device, {1}, dtype, std::vector<double>{std::nan("")});
  auto out = test::buffer(device, {1}, dtype, std::vector<double>{0});
  kernels::clamp(stream, nan, 0, 1, out);
  stream.synchronize();
  CHECK(std::isnan(out.values()[0]));
  CHECK_THROWS_AS(kernels::clamp(stream, x, 1, 0, y), ConfigError);
}

TEST_CASE("cast rounds to nearest even between all floating types") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto from = GENERATE(DType::f32, DType::bf16, DType::f64);
  const auto to = GENERATE(DType::f32, DType::bf16, DType::f64);
  const Shape shape = GENERATE(Shape{1}, Shape{5, 7, 31}, Shape{0});
  CAPTURE(name(device), name(from), name(to), to_string(shape));
  Stream stream(device);
  const auto x = test::data(device, shape, from);
  auto y = test::poisoned(device, shape, to);
  if (device != Device::cpu && (from == DType::f64 || to == DType::f64)) {
    CHECK_THROWS_AS(kernels::cast(stream, x, y), DTypeError);
    return;
  }
  kernels::cast(stream, x, y);
  stream.synchronize();
  if (shape.count()) test::require_kernels_ran(stream);
  auto expected = x.values();
  if (to != DType::f64) {
    for (double& value : expected) value = rounded(to, value);
  }
  CHECK(y.values() == expected);
}

TEST_CASE("append_column puts c behind every row, and its backward takes it away") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto [N, D] = GENERATE(table<int64_t, int64_t>({{1, 2}, {300, 3}, {4, 0}, {0, 2}}));
  CAPTURE(name(device), name(dtype), N, D);
  const auto x = test::data(device, {N, D}, dtype, test::Fill::normal, 1), c = test::data(device, {N}, dtype);
  const auto xs = x.values(), cs = c.values();
  std::vector<double> expected;
  for (int64_t n = 0; n < N; ++n) {
    expected.insert(expected.end(), xs.begin() + n * D, xs.begin() + (n + 1) * D);
    expected.push_back(cs[size_t(n)]);
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, {N, D + 1}, dtype), back = test::poisoned(device, {N, D}, dtype);
    kernels::append_column(stream, x, c, y);
    kernels::append_column_backward(stream, y, back);
    stream.synchronize();
    if (N) test::require_kernels_ran(stream);
    CHECK(y.values() == expected);
    CHECK(back.values() == xs);
  }
  Stream stream(device);
  auto wrong = test::poisoned(device, {N, D}, dtype);
  CHECK_THROWS_AS(kernels::append_column(stream, x, c, wrong), ShapeError);
}
