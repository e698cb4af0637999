#include "kernels/replace_known/replace_known.hpp"

#include "kernels/core/error.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <vector>

using namespace ascore;

namespace {

Shape sample_of(const Shape& shape) {
  return Shape(shape.dims().subspan(1));
}

/// Every third element is known, and the first; any value but 0 says so.
std::vector<double> pattern(int64_t width) {
  std::vector<double> mask(static_cast<size_t>(width));
  for (size_t i = 0; i < mask.size(); ++i) mask[i] = i % 3 == 0 ? 1 + double(i % 255) : 0;
  return mask;
}

}  // namespace

TEST_CASE("replace_known puts reference + sigma z where the mask is set, and touches nothing else") {
  const auto device = GENERATE(from_range(test::devices()));
  const Shape shape = GENERATE(Shape{6, 2}, Shape{3, 5, 7, 3}, Shape{2, 1, 1, 1}, Shape{5, 9, 33, 1}, Shape{0, 4});
  CAPTURE(name(device), to_string(shape));
  const NoiseKey key{.seed = 9, .stream = 18, .first_sample = 12, .step = 3};
  Stream plain(device);
  auto noise = test::poisoned(device, shape);
  kernels::random_normal(plain, key, 0, 1, noise);
  const auto before = test::data(device, shape, DType::f32, test::Fill::normal, 1);
  const auto reference = test::data(device, shape, DType::f32, test::Fill::far_from_zero, 2);
  const double spread = 0.37;
  const auto sigma = test::buffer(device, {1}, DType::f64, std::vector<double>{spread});
  const int64_t width = sample_of(shape).count();
  const std::vector<double> known = pattern(width);
  const auto mask = test::buffer(device, sample_of(shape), DType::u8, known);

  const std::vector<double> old = before.values(), wanted = reference.values(), z = noise.values();
  std::vector<double> expected = old;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (known[i % static_cast<size_t>(width)] == 0) continue;
    expected[i] = test::round_f32(wanted[i] + test::round_f32(test::round_f32(spread) * z[i]));
  }
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto x = test::data(device, shape, DType::f32, test::Fill::normal, 1);
    kernels::replace_known(stream, x, reference, mask, sigma, key);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK(x.values() == expected);  // the same roundings on every device
  }
}

TEST_CASE("replace_known in f64 on the cpu; noise 0 gives the reference itself") {
  Stream stream(Device::cpu);
  const Shape shape{4, 3, 2};
  auto x = test::data(Device::cpu, shape, DType::f64, test::Fill::normal, 1);
  const std::vector<double> before = x.values();
  const auto reference = test::data(Device::cpu, shape, DType::f64, test::Fill::normal, 2);
  const auto mask = test::buffer(Device::cpu, {3, 2}, DType::u8, std::vector<double>{0, 1, 1, 0, 0, 1});
  const auto none = test::buffer(Device::cpu, {1}, DType::f64, std::vector<double>{0});
  kernels::replace_known(stream, x, reference, mask, none, {.seed = 1});
  const std::vector<double> after = x.values(), wanted = reference.values(), known = mask.values();
  for (size_t i = 0; i < after.size(); ++i) CHECK(after[i] == (known[i % 6] != 0 ? wanted[i] : before[i]));
}

TEST_CASE("replace_known refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {4, 3}), half = test::poisoned(device, {4, 3}, DType::bf16);
  const auto mask = test::buffer(device, {3}, DType::u8, std::vector<double>{1, 0, 1});
  const auto sigma = test::buffer(device, {1}, DType::f64, std::vector<double>{1});
  const auto wide = test::poisoned(device, {4, 3}, DType::u8), floats = test::data(device, {3});
  CHECK_THROWS_AS(kernels::replace_known(stream, x, floats, mask, sigma, {}), ShapeError);
  CHECK_THROWS_AS(kernels::replace_known(stream, x, x, wide, sigma, {}), ShapeError);
  CHECK_THROWS_AS(kernels::replace_known(stream, x, x, mask, floats, {}), ShapeError);
  CHECK_THROWS_AS(kernels::replace_known(stream, x, half, mask, sigma, {}), DTypeError);
  CHECK_THROWS_AS(kernels::replace_known(stream, x, x, floats, sigma, {}), DTypeError);
}
