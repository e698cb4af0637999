#include "kernels/transpose/transpose.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

TEST_CASE("transpose puts every element in its place") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(filter([device](DType d) { return d != DType::f64 || device == Device::cpu; },
                                          values({DType::f32, DType::bf16, DType::f64})));
  const Shape shape = GENERATE(Shape{1, 1, 1}, Shape{2, 15, 33}, Shape{3, 70, 5}, Shape{1, 32, 64}, Shape{0, 3, 4});
  CAPTURE(name(device), name(dtype), to_string(shape));
  const int64_t A = shape[1], B = shape[2];
  const auto x = test::data(device, shape, dtype);
  const auto xs = x.values();
  std::vector<double> expected;
  for (int64_t n = 0; n < shape[0]; ++n) {
    for (int64_t b = 0; b < B; ++b) {
      for (int64_t a = 0; a < A; ++a) expected.push_back(xs[size_t((n * A + a) * B + b)]);
    }
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, {shape[0], B, A}, dtype);
    kernels::transpose(stream, x, y);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK(y.values() == expected);
  }
}

TEST_CASE("transpose refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {2, 3, 4});
  CHECK_THROWS_AS(kernels::transpose(stream, x, test::poisoned(device, {2, 3, 4})), ShapeError);
  CHECK_THROWS_AS(kernels::transpose(stream, x, test::poisoned(device, {2, 4, 3}, DType::bf16)), DTypeError);
}
