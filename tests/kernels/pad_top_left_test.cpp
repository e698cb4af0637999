#include "kernels/pad_top_left/pad_top_left.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

TEST_CASE("pad_top_left and crop_top_left agree with plain loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(filter([device](DType d) { return d != DType::f64 || device == Device::cpu; },
                                          values({DType::f32, DType::bf16, DType::f64})));
  const Shape shape = GENERATE(Shape{1, 1, 1, 1}, Shape{2, 3, 7, 5}, Shape{3, 9, 2, 8}, Shape{0, 3, 5, 2});
  CAPTURE(name(device), name(dtype), to_string(shape));
  const Shape large{shape[0], shape[1] + 1, shape[2] + 1, shape[3]};
  const auto x = test::data(device, shape, dtype), dy = test::data(device, large, dtype);
  const auto xs = x.values(), dys = dy.values();
  std::vector<double> y, dx;
  for (int64_t i = 0; i < large.count(); ++i) {
    const int64_t c = i % large[3], w = i / large[3] % large[2], h = i / (large[3] * large[2]) % large[1];
    const int64_t n = i / (large[3] * large[2] * large[1]);
    const bool border = h == 0 || w == 0;
    y.push_back(border ? 0.0 : xs[size_t(((n * shape[1] + h - 1) * shape[2] + w - 1) * shape[3] + c)]);
    if (!border) dx.push_back(dys[size_t(i)]);
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto to_y = test::poisoned(device, large, dtype), to_dx = test::poisoned(device, shape, dtype);
    kernels::pad_top_left(stream, x, to_y);
    kernels::crop_top_left(stream, dy, to_dx);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK(to_y.values() == y);
    CHECK(to_dx.values() == dx);
  }
}

TEST_CASE("pad_top_left refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {1, 3, 4, 2});
  auto y = test::poisoned(device, {1, 4, 4, 2}), half = test::poisoned(device, {1, 4, 5, 2}, DType::bf16);
  CHECK_THROWS_AS(kernels::pad_top_left(stream, x, y), ShapeError);
  CHECK_THROWS_AS(kernels::pad_top_left(stream, x, half), DTypeError);
}
