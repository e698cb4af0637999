#include "kernels/activation/activation.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

constexpr double kSlope = 0.2;

/// The formulas in the type A.
template <class A>
A value(Activation kind, A x) {
  switch (kind) {
    case Activation::identity:
      return x;
    case Activation::elu:
      return x > 0 ? x : std::expm1(x);
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::leaky_relu:
      return x > 0 ? x : static_cast<A>(kSlope) * x;
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return 0;
}

/// f' as a function of what backward is handed: x for silu, else y.
template <class A>
A derivative(Activation kind, A kept) {
  switch (kind) {
    case Activation::identity:
      return 1;
    case Activation::elu:
      return kept > 0 ? 1 : kept + 1;
    case Activation::relu:
      return kept > 0 ? 1 : 0;
    case Activation::leaky_relu:
      return kept > 0 ? 1 : static_cast<A>(kSlope);
    case Activation::silu: {
      const A s = 1 / (1 + std::exp(-kept));
      return s * (1 + kept * (1 - s));
    }
    case Activation::sigmoid:
      return kept * (1 - kept);
  }
  return 0;
}

double rounded(DType dtype, double value) {
  return dtype == DType::bf16 ? test::round_bf16(value) : test::round_f32(value);
}

}  // namespace

TEST_CASE("activations and their derivatives agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto kind = GENERATE(Activation::identity, Activation::elu, Activation::relu, Activation::leaky_relu,
                             Activation::silu, Activation::sigmoid);
  const Shape shape = GENERATE(Shape{1}, Shape{2, 7, 5, 3}, Shape{1031}, Shape{3, 0, 2});
  CAPTURE(name(device), name(dtype), int(kind), to_string(shape));
  const auto x = test::data(device, shape, dtype, test::Fill::normal, 1);
  const auto dy = test::data(device, shape, dtype, test::Fill::normal, 2);
  const auto xs = x.values(), dys = dy.values();
  std::vector<double> y_reference, y_naive, dx_reference, dx_naive;
  for (size_t i = 0; i < xs.size(); ++i) {
    y_reference.push_back(value(kind, xs[i]));
    y_naive.push_back(rounded(dtype, value(kind, static_cast<float>(xs[i]))));
  }
  std::optional<std::vector<double>> first_y, first_dx;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype), dx = test::poisoned(device, shape, dtype);
    kernels::activation(stream, x, kind, kSlope, y);
    const ConstView kept = kernels::backward_needs_input(kind) ? ConstView(x) : ConstView(y);
    kernels::activation_backward(stream, kept, dy, kind, kSlope, dx);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    const auto kept_values = kernels::backward_needs_input(kind) ? xs : y.values();
    dx_reference.clear(), dx_naive.clear();
    for (size_t i = 0; i < xs.size(); ++i) {
      dx_reference.push_back(dys[i] * derivative(kind, kept_values[i]));
      const float slope = derivative(kind, static_cast<float>(kept_values[i]));
      dx_naive.push_back(rounded(dtype, static_cast<float>(dys[i]) * slope));
    }
    if (!first_y) first_y = y.values(), first_dx = dx.values();
    CHECK(y.values() == *first_y);
    CHECK(dx.values() == *first_dx);
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(y_naive, y_reference));
    CHECK_THAT(dx.values(), test::at_most_twice_the_error_of(dx_naive, dx_reference));
  }
}

TEST_CASE("activations stay finite far from zero and pass NaN on") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto kind =
      GENERATE(Activation::elu, Activation::relu, Activation::leaky_relu, Activation::silu, Activation::sigmoid);
  CAPTURE(name(device), int(kind));
  Stream stream(device);
  const std::vector<double> far{-1e30, -1000, -100, -88, 88, 100, 1000, 1e30};
  const auto x = test::buffer(device, {9}, DType::f32, [&] {
    auto values = far;
    values.push_back(std::nan(""));
    return values;
  }());
  auto y = test::poisoned(device, {9}, DType::f32);
  kernels::activation(stream, x, kind, kSlope, y);
  stream.synchronize();
  const auto ys = y.values();
  for (size_t i = 0; i < far.size(); ++i) {
    CAPTURE(far[i]);
    CHECK(ys[i] == Approx(value(kind, far[i])).epsilon(1e-6).margin(1e-6));
  }
  CHECK(std::isnan(ys.back()));
}

TEST_CASE("activation works at an odd address, and refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto x = test::data(device, {9}), y = test::poisoned(device, {9});
  const float* const from = ConstView(x).as<float>();
  float* const to = View(y).as<float>();
  kernels::activation(stream, ConstView(from + 1, {7}, DType::f32, device), Activation::relu, 0,
                      View(to + 1, {7}, DType::f32, device));
  stream.synchronize();
  const auto xs = x.values(), ys = y.values();
  for (size_t i = 1; i < 8; ++i) CHECK(ys[i] == std::max(xs[i], 0.0));
  CHECK((std::isnan(ys[0]) && std::isnan(ys[8])));

  auto shorter = test::poisoned(device, {8}), half = test::poisoned(device, {9}, DType::bf16);
  CHECK_THROWS_AS(kernels::activation(stream, x, Activation::elu, 0, shorter), ShapeError);
  CHECK_THROWS_AS(kernels::activation(stream, x, Activation::elu, 0, half), DTypeError);
  CHECK_THROWS_AS(kernels::activation(stream, x, Activation::leaky_relu, -1, y), ConfigError);
}
