#include "kernels/scaled_add/scaled_add.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

TEST_CASE("scaled_add agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const bool with_z = GENERATE(true, false);
  const Shape shape = GENERATE(Shape{1}, Shape{3, 7, 5, 2}, Shape{1025}, Shape{0, 4});
  CAPTURE(name(device), name(dtype), with_z, to_string(shape));
  const auto x = test::data(device, shape, dtype, test::Fill::normal, 1);
  const auto z = test::data(device, shape, dtype, test::Fill::normal, 2);
  const auto xs = x.values(), zs = z.values();
  std::vector<double> reference(xs.size()), naive(xs.size());
  for (size_t i = 0; i < xs.size(); ++i) {
    reference[i] = 0.3 * xs[i] + (with_z ? -1.7 * zs[i] : 0.0);
    naive[i] = dtype == DType::bf16 ? test::round_bf16(reference[i]) : test::round_f32(reference[i]);
  }
  std::optional<std::vector<double>> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype);
    kernels::scaled_add(stream, 0.3, x, -1.7, with_z ? ConstView(z) : ConstView{}, y);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    if (!first) first = y.values();
    CHECK(y.values() == *first);
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(naive, reference));
  }
}

TEST_CASE("scaled_add refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {4}), y = test::poisoned(device, {5});
  CHECK_THROWS_AS(kernels::scaled_add(stream, 1, x, 0, {}, y), ShapeError);
  auto half = test::poisoned(device, {4}, DType::bf16);
  CHECK_THROWS_AS(kernels::scaled_add(stream, 1, x, 0, {}, half), DTypeError);
}
