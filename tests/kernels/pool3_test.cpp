#include "kernels/pool3/pool3.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <cmath>
#include <limits>
#include <optional>

using namespace ascore;
using kernels::Pool3Options;
using Kind = Pool3Options::Kind;

namespace {

/// In plain loops over windows of nine; Acc = double is the reference, float the naive twin.
template <class Acc>
std::vector<double> pooled(const std::vector<double>& x, const Shape& in, const Pool3Options& options,
                           const Shape& out) {
  std::vector<double> y;
  for (int64_t i = 0; i < out.count(); ++i) {
    const int64_t c = i % in[3], w = i / in[3] % out[2], h = i / (in[3] * out[2]) % out[1];
    const int64_t n = i / (in[3] * out[2] * out[1]);
    Acc sum = 0, most = -std::numeric_limits<Acc>::infinity();
    int there = 0;
    for (int k = 0; k < 9; ++k) {
      const int64_t row = h * options.stride - options.padding + k / 3;
      const int64_t column = w * options.stride - options.padding + k % 3;
      if (row < 0 || row >= in[1] || column < 0 || column >= in[2]) continue;
      const Acc value = static_cast<Acc>(x[size_t(((n * in[1] + row) * in[2] + column) * in[3] + c)]);
      sum += value;
      most = std::max(most, value);
      ++there;
    }
    y.push_back(options.kind == Kind::max ? double(most) : double(sum / Acc(there)));
  }
  return y;
}

}  // namespace

TEST_CASE("pool3 agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16, DType::f64);
  if (dtype == DType::f64 && device != Device::cpu) return;
  const auto kind = GENERATE(Kind::max, Kind::mean);
  const int stride = GENERATE(1, 2, 4), padding = GENERATE(0, 1);
  const Shape shape =
      GENERATE(Shape{1, 3, 3, 1}, Shape{2, 7, 5, 35}, Shape{1, 4, 8, 70}, Shape{1, 5, 6, 3}, Shape{0, 4, 5, 2});
  const Pool3Options options{.kind = kind, .stride = stride, .padding = padding};
  CAPTURE(name(device), name(dtype), kind == Kind::max, stride, padding, to_string(shape));
  const Shape small = kernels::pool3_output_shape(shape, options);
  CHECK(small == Shape{shape[0], (shape[1] + 2 * padding - 3) / stride + 1, (shape[2] + 2 * padding - 3) / stride + 1,
                       shape[3]});
  const auto x = test::data(device, shape, dtype);
  const std::vector<double> reference = pooled<double>(x.values(), shape, options, small);
  std::vector<double> naive = pooled<float>(x.values(), shape, options, small);
  for (double& value : naive) value = dtype == DType::bf16 ? test::round_bf16(value) : test::round_f32(value);
  std::optional<std::vector<double>> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, small, dtype);
    kernels::pool3(stream, x, options, y);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    if (!first) first = y.values();
    CHECK(y.values() == *first);
  }
  if (kind == Kind::max) {
    CHECK(*first == reference);
  } else if (dtype == DType::f64) {
    CHECK_THAT(*first, test::at_most_twice_the_error_of(reference, reference, 1e-15));
  } else {
    CHECK_THAT(*first, test::at_most_twice_the_error_of(naive, reference, 2e-7));
  }
}

TEST_CASE("a NaN wins the windows of pool3 that it lies in, and no others") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto kind = GENERATE(Kind::max, Kind::mean);
  const size_t place = GENERATE(0u, 7u, 9u, 14u);  // of 3x5 pixels
  Stream stream(device);
  std::vector<double> values(15, 1.0);
  values[place] = std::nan("");
  const auto x = test::buffer(device, {1, 3, 5, 1}, DType::f32, values);
  auto y = test::poisoned(device, {1, 3, 5, 1});
  kernels::pool3(stream, x, {.kind = kind, .padding = 1}, y);
  stream.synchronize();
  const auto ys = y.values();
  for (size_t i = 0; i < 15; ++i) {
    const bool near = std::abs(int(i / 5) - int(place / 5)) <= 1 && std::abs(int(i % 5) - int(place % 5)) <= 1;
    CAPTURE(i);
    CHECK(std::isnan(ys[i]) == near);
    if (!near) CHECK(ys[i] == Approx(1));
  }
}

TEST_CASE("pool3 refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {1, 4, 5, 2});
  auto y = test::poisoned(device, {1, 2, 3, 2}), half = test::poisoned(device, {1, 2, 3, 2}, DType::bf16);
  kernels::pool3(stream, x, {}, y);
  CHECK_THROWS_AS(kernels::pool3(stream, x, {.stride = 2}, y), ShapeError);
  CHECK_THROWS_AS(kernels::pool3(stream, x, {.padding = 1}, y), ShapeError);
  CHECK_THROWS_AS(kernels::pool3(stream, x, {.stride = 0}, y), ShapeError);
  CHECK_THROWS_AS(kernels::pool3(stream, x, {.padding = 2}, y), ShapeError);
  CHECK_THROWS_AS(kernels::pool3(stream, x, {}, half), DTypeError);
  auto none = test::poisoned(device, {1, 0, 3, 2});
  CHECK_THROWS_AS(kernels::pool3(stream, test::data(device, {1, 2, 5, 2}), {}, none), ShapeError);
}
