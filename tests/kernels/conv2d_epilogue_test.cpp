#include "kernels/activation/activation.hpp"
#include "kernels/core/error.hpp"
#include "kernels/scaled_add/scaled_add.hpp"
#include "tests/kernels/conv2d_reference.hpp"
#include "tests/support/catch.hpp"

#include <cmath>
#include <optional>

using namespace ascore;
using namespace ascore::test::conv2d;

namespace {

constexpr double kSlope = 0.2;

/// Tiles of every kind, chunks whole and ragged, dilation, strides 1 and 2 and an even kernel; H != W.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {2, 5, 3, 16, 16, 3},      {1, 9, 7, 8, 8, 3, 4}, {1, 4, 5, 9, 24, 1},      {2, 3, 4, 7, 5, 3},
      {1, 5, 7, 5, 33, 3, 2},    {0, 4, 3, 3, 5, 3},    {1, 7, 5, 8, 8, 3, 1, 2}, {2, 5, 4, 16, 9, 1, 1, 2},
      {1, 7, 10, 8, 5, 4, 1, 2}, {3, 7, 5, 8, 70, 3},   {1, 33, 31, 8, 136, 1},   {1, 4, 3, 16, 130, 3},
  };
  return all;
}

/// f and f' in f64, from their definitions.
double value(Activation kind, double x) {
  switch (kind) {
    case Activation::identity:
      return x;
    case Activation::elu:
      return x > 0 ? x : std::expm1(x);
    case Activation::relu:
      return std::max(x, 0.0);
    case Activation::leaky_relu:
      return x > 0 ? x : kSlope * x;
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return 0;
}
/// As a function of what activation_backward keeps: x for silu, else y.
double derivative(Activation kind, double kept) {
  switch (kind) {
    case Activation::identity:
      return 1;
    case Activation::elu:
      return kept > 0 ? 1 : kept + 1;
    case Activation::relu:
      return kept > 0 ? 1 : 0;
    case Activation::leaky_relu:
      return kept > 0 ? 1 : kSlope;
    case Activation::silu: {
      const double s = 1 / (1 + std::exp(-kept));
      return s * (1 + kept * (1 - s));
    }
    case Activation::sigmoid:
      return kept * (1 - kept);
  }
  return 0;
}

constexpr Activation kKinds[] = {Activation::identity,   Activation::elu,  Activation::relu,
                                 Activation::leaky_relu, Activation::silu, Activation::sigmoid};

/// Values, if wanted, else zeros.
Values given(bool present, const test::Buffer& buffer) {
  return present ? buffer.values() : Values(static_cast<size_t>(buffer.shape().count()), 0.0);
}

/// Exact for integers as far as f is; else at most twice the error of the twin, whose sums are `Acc`.
void check(const Values& values, const Values& naive, const Values& reference, Device device, DType dtype, bool exact) {
  if (exact) {
    CHECK(values == rounded(reference, dtype));
    return;
  }
  // As the products' own test has them: what three products of tf32 leave out, one rounding of f64.
  const double floor = dtype == DType::f64 ? 1e-14 : device == Device::cpu ? 1e-7 : 4e-7;
  CHECK_THAT(values, test::at_most_twice_the_error_of(rounded(naive, dtype), reference, floor));
}

bool keeps_integers(Activation kind) {
  return kind == Activation::identity || kind == Activation::relu;
}

}  // namespace

TEST_CASE("conv2d's epilogue agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto at = GENERATE(range(size_t{0}, size_t{12}));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  const Case& c = cases().at(at);
  // Every combination turns up, in some case or dtype.
  const size_t turn =
      at + (dtype == DType::bf16 ? 1 : 0) + (dtype == DType::f64 ? 2 : 0) + (fill == test::Fill::normal);
  const Activation kind = kKinds[turn % 6];
  const bool with_bias = at % 2 == 0, with_residual = turn % 3 != 0, with_sum = turn % 4 < 2;
  CAPTURE(name(device), name(dtype), c, static_cast<int>(kind), with_bias, with_residual, with_sum);
  const DType wide = accumulator(dtype);
  const auto x = test::data(device, c.x(), dtype, fill, 1), residual = test::data(device, c.y(), dtype, fill, 2);
  const auto weight = test::data(device, c.weight(), wide, fill, 3), bias = test::data(device, {c.O}, wide, fill, 4);
  const Values ws = weight_values(weight, dtype), rs = given(with_residual, residual);

  std::optional<Values> first_y, first_sum;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, c.y(), dtype), sum = test::poisoned(device, c.y(), dtype);
    kernels::conv2d(stream, x, weight, with_bias ? ConstView(bias) : ConstView{}, c.options(), y,
                    {.residual = with_residual ? ConstView(residual) : ConstView{},
                     .activation = kind,
                     .slope = kSlope,
                     .sum = with_sum ? View(sum) : View{}});
    stream.synchronize();
    if (c.N > 0) test::require_kernels_ran(stream);
    if (!first_y) first_y = y.values();
    if (!first_sum) first_sum = sum.values();
    CHECK(y.values() == *first_y);
    if (with_sum) CHECK(sum.values() == *first_sum);
  }
  const auto sums = [&]<class Acc>() {
    Values all = forward<Acc>(c, x.values(), ws, with_bias ? bias.values() : Values{});
    for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<Acc>(all[i]) + static_cast<Acc>(rs[i]);
    return all;
  };
  const Values reference = sums.template operator()<double>();
  const Values naive = dtype == DType::f64 ? reference : sums.template operator()<float>();
  const auto through = [&](Values values) {
    for (double& v : values) v = value(kind, v);
    return values;
  };
  const bool exact = fill == test::Fill::integers;
  if (with_sum) check(*first_sum, naive, reference, device, dtype, exact);
  check(*first_y, through(naive), through(reference), device, dtype, exact && keeps_integers(kind));
}

TEST_CASE("conv2d_dgrad's epilogue agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto at = GENERATE(range(size_t{0}, size_t{12}));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  const Case& c = cases().at(at);
  const size_t turn =
      at + (dtype == DType::bf16 ? 1 : 0) + (dtype == DType::f64 ? 2 : 0) + (fill == test::Fill::normal);
  const Activation kind = kKinds[turn % 6];
  const bool with_bias = at % 2 == 1, with_kept = turn % 5 != 0, with_residual = turn % 3 != 0;
  CAPTURE(name(device), name(dtype), c, static_cast<int>(kind), with_bias, with_kept, with_residual);
  const DType wide = accumulator(dtype);
  const auto bias = test::data(device, {c.I}, wide, fill, 4);
  const auto dy = test::data(device, c.y(), dtype, fill, 1), residual = test::data(device, c.x(), dtype, fill, 2);
  const auto kept = test::data(device, c.x(), dtype, fill, 5), weight = test::data(device, c.weight(), wide, fill, 3);
  const Values ws = weight_values(weight, dtype), rs = given(with_residual, residual), ks = kept.values();
  const Values bs = given(with_bias, bias);

  std::optional<Values> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto dx = test::poisoned(device, c.x(), dtype);
    kernels::conv2d_dgrad(stream, dy, weight, c.options(), dx,
                          {.bias = with_bias ? ConstView(bias) : ConstView{},
                           .kept = with_kept ? ConstView(kept) : ConstView{},
                           .activation = kind,
                           .slope = kSlope,
                           .residual = with_residual ? ConstView(residual) : ConstView{}});
    stream.synchronize();
    if (c.N > 0) test::require_kernels_ran(stream);
    if (!first) first = dx.values();
    CHECK(dx.values() == *first);
  }
  const auto gradient = [&]<class Acc>() {
    Values all = dgrad<Acc>(c, dy.values(), ws);
    for (size_t i = 0; i < all.size(); ++i) {
      const Acc factor = with_kept ? static_cast<Acc>(derivative(kind, ks[i])) : Acc(1);
      const Acc sum = static_cast<Acc>(all[i]) + static_cast<Acc>(bs[i % bs.size()]);
      all[i] = sum * factor + static_cast<Acc>(rs[i]);
    }
    return all;
  };
  const Values reference = gradient.template operator()<double>();
  const Values naive = dtype == DType::f64 ? reference : gradient.template operator()<float>();
  const bool exact = fill == test::Fill::integers && (!with_kept || keeps_integers(kind));
  check(*first, naive, reference, device, dtype, exact);
}

TEST_CASE("in f32 an epilogue gives the bits of the operations one after the other") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto kind = GENERATE(Activation::identity, Activation::elu, Activation::leaky_relu, Activation::silu);
  const Case c{2, 6, 5, 16, 24, 3};
  CAPTURE(name(device), static_cast<int>(kind));
  const auto x = test::data(device, c.x()), weight = test::data(device, c.weight()), bias = test::data(device, {c.O});
  const auto residual = test::data(device, c.y(), DType::f32, test::Fill::normal, 2);
  const auto back = test::data(device, c.x(), DType::f32, test::Fill::normal, 7);
  const auto y = [&] { return test::poisoned(device, c.y()); };
  const auto dx = [&] { return test::poisoned(device, c.x()); };
  Stream stream(device);
  auto conv = y(), sum = y(), active = y(), fused_sum = y(), fused = y();
  kernels::conv2d(stream, x, weight, bias, c.options(), conv);
  kernels::scaled_add(stream, 1, conv, 1, residual, sum);
  kernels::activation(stream, sum, kind, kSlope, active);
  kernels::conv2d(stream, x, weight, bias, c.options(), fused,
                  {.residual = residual, .activation = kind, .slope = kSlope, .sum = fused_sum});
  auto plain = dx(), through = dx(), added = dx(), fused_dx = dx();
  kernels::conv2d_dgrad(stream, residual, weight, c.options(), plain);
  kernels::activation_backward(stream, x, plain, kind, kSlope, through);
  kernels::scaled_add(stream, 1, through, 1, back, added);
  kernels::conv2d_dgrad(stream, residual, weight, c.options(), fused_dx,
                        {.kept = x, .activation = kind, .slope = kSlope, .residual = back});
  stream.synchronize();
  CHECK(fused_sum.values() == sum.values());
  CHECK(fused.values() == active.values());
  CHECK(fused_dx.values() == added.values());
}

TEST_CASE("conv2d refuses an epilogue that does not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {1, 4, 3, 3}), weight = test::data(device, {5, 3, 3, 3});
  auto y = test::poisoned(device, {1, 4, 3, 5}), dx = test::poisoned(device, {1, 4, 3, 3});
  auto turned = test::poisoned(device, {1, 3, 4, 5}), half = test::poisoned(device, {1, 4, 3, 5}, DType::bf16);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, y, {.residual = turned}), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, y, {.residual = half}), DTypeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, y, {.sum = turned}), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d(stream, x, weight, {}, {}, y, {.activation = Activation::leaky_relu, .slope = -0.1}),
                  ConfigError);
  CHECK_THROWS_AS(kernels::conv2d_dgrad(stream, y, weight, {}, dx, {.kept = turned}), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d_dgrad(stream, y, weight, {}, dx, {.residual = half}), ShapeError);
  const auto five = test::data(device, {5}), rough = test::data(device, {3}, DType::bf16);
  CHECK_THROWS_AS(kernels::conv2d_dgrad(stream, y, weight, {}, dx, {.bias = five}), ShapeError);
  CHECK_THROWS_AS(kernels::conv2d_dgrad(stream, y, weight, {}, dx, {.bias = rough}), DTypeError);
}
