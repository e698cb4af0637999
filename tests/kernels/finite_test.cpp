#include "kernels/finite/finite.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

#include <limits>

using namespace ascore;

TEST_CASE("count_nonfinite counts infinities and NaN, and nothing else") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::float_types(device)));
  // the last: more than one grid of threads
  const auto [count, planted] = GENERATE(table<int64_t, int64_t>(
      {{0, 0}, {1, 0}, {1, 1}, {255, 0}, {255, 1}, {255, 3}, {1024 * 256 + 5, 0}, {1024 * 256 + 5, 3}}));
  CAPTURE(name(device), name(dtype), count, planted);
  std::vector<double> values(static_cast<size_t>(count), dtype == DType::f64 ? 1e300 : 3e38);
  const double bad[] = {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                        -std::numeric_limits<double>::infinity()};
  for (int64_t k = 0; k < planted; ++k) values[static_cast<size_t>(count - 1 - k * (count / 3))] = bad[k];
  const auto x = test::buffer(device, Shape{count}, dtype, values);
  Stream stream(device);
  auto found = test::poisoned(device, Shape{1}, DType::i32);
  kernels::count_nonfinite(stream, x, found);
  stream.synchronize();
  if (count) test::require_kernels_ran(stream);
  CHECK(found.values() == std::vector<double>{static_cast<double>(planted)});
}

TEST_CASE("count_nonfinite refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {4});
  CHECK_THROWS_AS(kernels::count_nonfinite(stream, x, test::poisoned(device, {2}, DType::i32)), ShapeError);
  CHECK_THROWS_AS(kernels::count_nonfinite(stream, x, test::poisoned(device, {1}, DType::f32)), DTypeError);
}
