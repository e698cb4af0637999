#include "kernels/quantize/quantize.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

TEST_CASE("quantize rounds to the nearest byte and clamps") {
  const auto device = GENERATE(from_range(test::devices()));
  std::vector<double> values = {-1e30, -0.25, 0, 1, 1.5, 1e30, NAN, INFINITY, -INFINITY};
  std::vector<double> expected = {0, 0, 0, 255, 255, 255, 0, 255, 0};
  for (int byte = 0; byte <= 255; ++byte) {
    for (double shift : {-0.49, 0.0, 0.49}) {
      values.push_back((byte + shift) / 255);
      expected.push_back(byte);
    }
  }
  const Shape shape{static_cast<int64_t>(values.size())};
  const auto x = test::buffer(device, shape, DType::f32, values);
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, DType::u8);
    kernels::quantize(stream, x, y);
    stream.synchronize();
    test::require_kernels_ran(stream);
    CHECK(y.values() == expected);
  }
}

TEST_CASE("quantize takes f64 on the cpu, empty images, and nothing that does not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto empty = test::poisoned(device, {0, 4}), none = test::poisoned(device, {0, 4}, DType::u8);
  CHECK_NOTHROW(kernels::quantize(stream, empty, none));
  const auto x = test::buffer(device, {2}, DType::f64, std::vector<double>{0.25, 0.5});
  auto y = test::poisoned(device, {2}, DType::u8);
  if (device == Device::cpu) {
    kernels::quantize(stream, x, y);
    CHECK(y.values() == std::vector<double>{64, 128});
  } else {
    CHECK_THROWS_AS(kernels::quantize(stream, x, y), DTypeError);
  }
  CHECK_THROWS_AS(kernels::quantize(stream, empty, y), ShapeError);
  CHECK_THROWS_AS(kernels::quantize(stream, empty, empty), DTypeError);
}
