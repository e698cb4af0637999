#include "kernels/perturb/perturb.hpp"

#include "kernels/add_scaled_rows/add_scaled_rows.hpp"
#include "kernels/core/error.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "kernels/sigma_draw/sigma_draw.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {
/// x[n,...] + sigma[n] z[n,...] in f64, and rounded after every operation as an f32 loop would.
struct Rows {
  std::vector<double> exact, naive;
};
Rows add_rows(const std::vector<double>& x, const std::vector<double>& sigma, const std::vector<double>& z) {
  Rows rows;
  const size_t width = sigma.empty() ? 1 : z.size() / sigma.size();
  for (size_t i = 0; i < z.size(); ++i) {
    const double base = x.empty() ? 0 : x[i];
    rows.exact.push_back(base + sigma[i / width] * z[i]);
    rows.naive.push_back(test::round_f32(base + test::round_f32(sigma[i / width] * z[i])));
  }
  return rows;
}
}  // namespace

TEST_CASE("add_scaled_rows agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const bool with_x = GENERATE(true, false);
  const Shape shape = GENERATE(Shape{1}, Shape{5, 3}, Shape{3, 7, 5, 3}, Shape{0, 4});
  CAPTURE(name(device), with_x, to_string(shape));
  const auto x = test::data(device, shape, DType::f32, test::Fill::normal, 1);
  const auto z = test::data(device, shape, DType::f32, test::Fill::normal, 2);
  const auto sigma = test::data(device, {shape.dim(0)}, DType::f32, test::Fill::far_from_zero, 3);
  const Rows expected = add_rows(with_x ? x.values() : std::vector<double>{}, sigma.values(), z.values());
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape);
    kernels::add_scaled_rows(stream, with_x ? ConstView(x) : ConstView{}, sigma, z, y);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(expected.naive, expected.exact));
  }
}

TEST_CASE("perturb adds sigma times the normals of random_normal, and hands out their negative") {
  const auto device = GENERATE(from_range(test::devices()));
  const bool with_target = GENERATE(true, false);
  const Shape shape = GENERATE(Shape{6, 2}, Shape{3, 5, 5, 3}, Shape{2, 1, 1, 1}, Shape{0, 4});
  CAPTURE(name(device), with_target, to_string(shape));
  const NoiseKey key{.seed = 9, .stream = 6, .first_sample = 12, .step = 3};
  Stream plain(device);
  auto z = test::poisoned(device, shape);
  kernels::random_normal(plain, key, 0, 1, z);
  const auto x = test::data(device, shape);
  const auto sigma = test::data(device, {shape.dim(0)}, DType::f32, test::Fill::far_from_zero, 3);
  const Rows expected = add_rows(x.values(), sigma.values(), z.values());
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape), minus_z = test::poisoned(device, shape);
    kernels::perturb(stream, x, sigma, key, y, with_target ? View(minus_z) : View{});
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    CHECK(y.values() == expected.naive);  // the same roundings on every device
    if (!with_target) continue;
    const auto noise = z.values(), target = minus_z.values();
    for (size_t i = 0; i < noise.size(); ++i) CHECK(target[i] == -noise[i]);
  }
}

TEST_CASE("perturb works in place and in f64 on the cpu") {
  Stream stream(Device::cpu);
  const Shape shape{4, 3};
  const NoiseKey key{.seed = 1};
  auto z = test::poisoned(Device::cpu, shape, DType::f64);
  kernels::random_normal(stream, key, 0, 1, z);
  auto x = test::data(Device::cpu, shape, DType::f64);
  const auto sigma = test::data(Device::cpu, {4}, DType::f64);
  const Rows expected = add_rows(x.values(), sigma.values(), z.values());
  kernels::perturb(stream, x, sigma, key, x, {});
  CHECK(x.values() == expected.exact);
}

TEST_CASE("sigma_draw picks every level equally often, per sample and not per batch") {
  const auto device = GENERATE(from_range(test::devices()));
  const int64_t count = 4000, levels = 20;
  std::vector<double> table;
  for (int i = 0; i < levels; ++i) table.push_back(test::round_f32(10 * std::pow(0.7, i)));
  const auto all = test::buffer(device, {levels}, DType::f32, table);
  auto sigma = test::poisoned(device, {count}), index = test::poisoned(device, {count}, DType::i32);
  Stream stream(device);
  const NoiseKey key{.seed = 2, .stream = 5};
  kernels::sigma_draw(stream, key, all, sigma, index);
  stream.synchronize();
  test::require_kernels_ran(stream);
  std::vector<int> seen(levels, 0);
  const auto chosen = index.values(), values = sigma.values();
  for (size_t i = 0; i < chosen.size(); ++i) {
    REQUIRE(chosen[i] >= 0);
    REQUIRE(chosen[i] < levels);
    ++seen[static_cast<size_t>(chosen[i])];
    CHECK(values[i] == table[static_cast<size_t>(chosen[i])]);
  }
  double chi_square = 0;
  for (int times : seen) chi_square += (times - 200.0) * (times - 200.0) / 200.0;
  CHECK(chi_square < 50);  // 19 degrees of freedom: exceeded with probability 1e-4

  auto one = test::poisoned(device, {1});
  NoiseKey later = key;
  later.first_sample = 1234;
  kernels::sigma_draw(stream, later, all, one, {});
  stream.synchronize();
  CHECK(one.values()[0] == values[1234]);
}

TEST_CASE("perturb, add_scaled_rows and sigma_draw refuse arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {4, 3}), y = test::poisoned(device, {4, 3}), sigma = test::data(device, {4});
  auto wrong = test::data(device, {3}), half = test::poisoned(device, {4, 3}, DType::bf16);
  CHECK_THROWS_AS(kernels::perturb(stream, x, wrong, {}, y, {}), ShapeError);
  CHECK_THROWS_AS(kernels::perturb(stream, x, sigma, {}, wrong, {}), ShapeError);
  CHECK_THROWS_AS(kernels::perturb(stream, x, sigma, {}, half, {}), DTypeError);
  CHECK_THROWS_AS(kernels::add_scaled_rows(stream, x, wrong, x, y), ShapeError);
  CHECK_THROWS_AS(kernels::add_scaled_rows(stream, {}, sigma, half, half), DTypeError);
  CHECK_THROWS_AS(kernels::sigma_draw(stream, {}, x, sigma, {}), ShapeError);
  CHECK_THROWS_AS(kernels::sigma_draw(stream, {}, wrong, sigma, sigma), DTypeError);
}
