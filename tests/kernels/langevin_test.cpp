#include "kernels/langevin/langevin.hpp"

#include "kernels/core/error.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {
struct Reference {
  std::vector<double> exact, naive;
};
/// x + a d + b z in f64, and rounded after every operation.
Reference step(const std::vector<double>& x, const std::vector<double>& d, const std::vector<double>& z, double a,
               double b) {
  Reference result{x, x};
  const double fa = test::round_f32(a), fb = test::round_f32(b);
  for (size_t i = 0; i < x.size(); ++i) {
    if (!d.empty()) {
      result.exact[i] += a * d[i];
      result.naive[i] = test::round_f32(result.naive[i] + test::round_f32(fa * d[i]));
    }
    result.exact[i] += b * z[i];
    result.naive[i] = test::round_f32(result.naive[i] + test::round_f32(fb * z[i]));
  }
  return result;
}
}  // namespace

TEST_CASE("langevin_step agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const bool with_d = GENERATE(true, false);
  const auto coefficients = GENERATE(std::pair{0.3, 1.7}, std::pair{1e-3, 0.0}, std::pair{2500.0, 50.0});
  const Shape shape = GENERATE(Shape{5, 2}, Shape{2, 7, 5, 3}, Shape{0, 4});
  const auto [a, b] = coefficients;
  CAPTURE(name(device), with_d, a, b, to_string(shape));
  const NoiseKey key{.seed = 21, .stream = 17, .first_sample = 8, .step = 100};
  Stream plain(device);
  auto z = test::poisoned(device, shape);
  kernels::random_normal(plain, key, 0, 1, z);
  const auto x = test::data(device, shape, DType::f32, test::Fill::normal, 1);
  const auto d = test::data(device, shape, DType::f32, test::Fill::normal, 2);
  const Reference expected = step(x.values(), with_d ? d.values() : std::vector<double>{}, z.values(), a, b);
  const auto scalars = test::buffer(device, {2}, DType::f64, std::vector<double>{a, b});
  const ConstView direction = with_d ? ConstView(d) : ConstView{};
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto drawn = test::buffer(device, shape, DType::f32, x.values());
    auto given = test::buffer(device, shape, DType::f32, x.values());
    kernels::langevin_step(stream, drawn, direction, scalars, key);
    kernels::langevin_step_given(stream, given, direction, scalars, z);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK(drawn.values() == expected.naive);  // the same roundings on every device
    CHECK(given.values() == expected.naive);
    CHECK_THAT(drawn.values(), test::at_most_twice_the_error_of(expected.naive, expected.exact));
  }
}

TEST_CASE("langevin_step without noise leaves out even a noise that is not finite") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::buffer(device, {1, 2}, DType::f32, std::vector<double>{1, 2});
  const auto d = test::buffer(device, {1, 2}, DType::f32, std::vector<double>{1, -1});
  const auto broken = test::buffer(device, {1, 2}, DType::f32, std::vector<double>{NAN, INFINITY});
  const auto scalars = test::buffer(device, {2}, DType::f64, std::vector<double>{0.5, 0});
  kernels::langevin_step_given(stream, x, d, scalars, broken);
  stream.synchronize();
  CHECK(x.values() == std::vector<double>{1.5, 1.5});
  kernels::langevin_step_given(stream, x, d, scalars, {});
  stream.synchronize();
  CHECK(x.values() == std::vector<double>{2.0, 1.0});
}

TEST_CASE("langevin_step computes in f64 on the cpu") {
  Stream stream(Device::cpu);
  const auto d = test::data(Device::cpu, {3, 5}, DType::f64, test::Fill::normal, 2);
  const auto z = test::data(Device::cpu, {3, 5}, DType::f64, test::Fill::normal, 3);
  auto x = test::data(Device::cpu, {3, 5}, DType::f64);
  const Reference expected = step(x.values(), d.values(), z.values(), 0.1, 0.2);
  kernels::langevin_step_given(stream, x, d, test::buffer(Device::cpu, {2}, DType::f64, std::vector<double>{0.1, 0.2}),
                               z);
  CHECK(x.values() == expected.exact);
}

TEST_CASE("langevin_step refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {4, 3});
  const auto scalars = test::buffer(device, {2}, DType::f64, std::vector<double>{1, 1});
  const auto single = test::buffer(device, {2}, DType::f32, std::vector<double>{1, 1});
  CHECK_THROWS_AS(kernels::langevin_step(stream, x, scalars, scalars, {}), ShapeError);
  CHECK_THROWS_AS(kernels::langevin_step(stream, x, x, x, {}), ShapeError);
  CHECK_THROWS_AS(kernels::langevin_step(stream, x, x, single, {}), DTypeError);
  CHECK_THROWS_AS(kernels::langevin_step(stream, x, test::poisoned(device, {4, 3}, DType::bf16), scalars, {}),
                  DTypeError);
}
