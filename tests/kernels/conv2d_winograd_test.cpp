#include "kernels/activation/activation.hpp"
#include "kernels/scaled_add/scaled_add.hpp"
#include "tests/kernels/conv2d_reference.hpp"
#include "tests/support/catch.hpp"

#include <optional>

/// What conv2d_test and conv2d_epilogue_test show of small shapes, of those that Winograd's form takes.
using namespace ascore;
using namespace ascore::test::conv2d;

namespace {

/// Tiles whole and hanging over, every dilation's parts equal and not, more tiles than one task or one run of a
/// gradient's, output channels that fill no whole number of a product's rows; H != W.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      {1, 8, 8, 32, 32, 3},      {2, 9, 13, 64, 32, 3},     {1, 16, 14, 32, 96, 3, 2}, {2, 13, 18, 32, 32, 3, 2},
      {1, 16, 24, 32, 32, 3, 4}, {3, 17, 15, 32, 64, 3, 3}, {5, 16, 15, 32, 32, 3},
  };
  return all;
}

std::vector<DType> computed_in_f32() {
  Stream stream(Device::cpu);
  const Case& c = cases().front();
  const std::string used =
      kernels::conv2d_implementation(stream, kernels::Conv2dPass::forward, c.x(), c.weight(), c.options(), DType::bf16);
  if (used != "winograd") return {DType::f32};  // a processor that multiplies bf16
  return {DType::f32, DType::bf16};
}

/// Sums of a few hundred products, each computed by 16 terms where the plain sum has 36: the error must not be more
/// than twice that of a plain loop in f32, or `floor`.
void check(const Values& values, const Values& naive, const Values& reference, DType dtype, bool exact,
           double floor = 1e-7) {
  if (exact) {
    CHECK(values == rounded(reference, dtype));
  } else {
    CHECK_THAT(values, test::at_most_twice_the_error_of(rounded(naive, dtype), reference, floor));
  }
}

/// Products of two bf16 values are exact in f32, and a plain loop rounds its sums alone; products of transformed tiles
/// are rounded too, as all products of f32 values are: four units in the last place.
double wgrad_floor(DType dtype) {
  return dtype == DType::bf16 ? 4 * 0x1p-23 : 1e-7;
}

struct Results {
  Values y, dx, dw;
};

Results passes(const Case& c, ConstView x, ConstView dy, ConstView weight, ConstView bias, int threads) {
  Stream stream(Device::cpu, {.threads = threads});
  auto y = test::poisoned(Device::cpu, c.y(), x.dtype()), dx = test::poisoned(Device::cpu, c.x(), x.dtype());
  auto dw = test::poisoned(Device::cpu, c.weight());
  kernels::conv2d(stream, x, weight, bias, c.options(), y);
  kernels::conv2d_dgrad(stream, dy, weight, c.options(), dx);
  kernels::conv2d_wgrad(stream, x, dy, c.options(), dw, {}, {});
  return {y.values(), dx.values(), dw.values()};
}

}  // namespace

TEST_CASE("Winograd's convolution agrees with plain f64 loops, whatever the number of threads") {
  const auto dtype = GENERATE(from_range(computed_in_f32()));
  const auto c = GENERATE(from_range(cases()));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  CAPTURE(name(dtype), c, static_cast<int>(fill));
  Stream stream(Device::cpu);
  for (auto pass : {kernels::Conv2dPass::forward, kernels::Conv2dPass::dgrad, kernels::Conv2dPass::wgrad}) {
    REQUIRE(kernels::conv2d_implementation(stream, pass, c.x(), c.weight(), c.options(), dtype) == "winograd");
  }
  const auto x = test::data(Device::cpu, c.x(), dtype, fill, 1), dy = test::data(Device::cpu, c.y(), dtype, fill, 2);
  const auto weight = test::data(Device::cpu, c.weight(), DType::f32, fill, 3);
  const auto bias = test::data(Device::cpu, {c.O}, DType::f32, fill, 4);
  const Values xs = x.values(), dys = dy.values(), ws = weight_values(weight, dtype), bs = bias.values();
  const bool exact = fill == test::Fill::integers;

  const Results one = passes(c, x, dy, weight, bias, 1), three = passes(c, x, dy, weight, bias, 3);
  CHECK(one.y == three.y);
  CHECK(one.dx == three.dx);
  CHECK(one.dw == three.dw);
  check(one.y, forward<float>(c, xs, ws, bs), forward<double>(c, xs, ws, bs), dtype, exact);
  check(one.dx, dgrad<float>(c, dys, ws), dgrad<double>(c, dys, ws), dtype, exact);
  check(one.dw, wgrad<float>(c, xs, dys), wgrad<double>(c, xs, dys), DType::f32, exact, wgrad_floor(dtype));
}

TEST_CASE("an image's result by Winograd's convolution does not depend on the batch around it") {
  const Case many{5, 16, 15, 32, 32, 3}, one{1, 16, 15, 32, 32, 3};
  const auto x = test::data(Device::cpu, many.x()), weight = test::data(Device::cpu, many.weight());
  Stream stream(Device::cpu);
  auto y = test::poisoned(Device::cpu, many.y()), alone = test::poisoned(Device::cpu, one.y());
  kernels::conv2d(stream, x, weight, {}, {}, y);
  const int64_t image = one.x().count();
  for (int64_t n = 0; n < many.N; ++n) {
    const ConstView part(ConstView(x).as<float>() + n * image, one.x(), DType::f32, Device::cpu);
    kernels::conv2d(stream, part, weight, {}, {}, alone);
    const Values all = y.values();
    const auto begin = all.begin() + n * alone.shape().count();
    CHECK(alone.values() == Values(begin, begin + alone.shape().count()));
  }
}

TEST_CASE("Winograd's epilogues make the bits of separate passes") {
  const Case c{2, 9, 11, 32, 64, 3};
  const auto x = test::data(Device::cpu, c.x()), weight = test::data(Device::cpu, c.weight());
  const auto residual = test::data(Device::cpu, c.y(), DType::f32, test::Fill::normal, 5);
  Stream stream(Device::cpu);
  auto y = test::poisoned(Device::cpu, c.y()), sum = test::poisoned(Device::cpu, c.y());
  auto plain = test::poisoned(Device::cpu, c.y()), activated = test::poisoned(Device::cpu, c.y());
  kernels::conv2d(stream, x, weight, {}, {}, y, {.residual = residual, .activation = Activation::elu, .sum = sum});
  kernels::conv2d(stream, x, weight, {}, {}, plain);
  Values sums = plain.values();
  const Values beside = residual.values();
  for (size_t i = 0; i < sums.size(); ++i) {
    sums[i] = static_cast<float>(sums[i]) + static_cast<float>(beside[i]);
  }
  CHECK(sum.values() == sums);
  kernels::activation(stream, sum, Activation::elu, 0, activated);
  CHECK(y.values() == activated.values());

  const Case back{2, 9, 11, 64, 32, 3};  // its dgrad reads y and writes 64 channels
  const auto dy = test::data(Device::cpu, back.y(), DType::f32, test::Fill::normal, 6);
  const auto turned = test::data(Device::cpu, back.weight(), DType::f32, test::Fill::normal, 7);
  auto dx = test::poisoned(Device::cpu, back.x()), product = test::poisoned(Device::cpu, back.x());
  kernels::conv2d_dgrad(stream, dy, turned, {}, dx, {.kept = y, .activation = Activation::elu, .residual = residual});
  kernels::conv2d_dgrad(stream, dy, turned, {}, product);
  const Values kept = y.values(), gradients = dx.values(), products = product.values();
  for (size_t i = 0; i < gradients.size(); ++i) {
    const float slope = kept[i] > 0 ? 1.0F : static_cast<float>(kept[i]) + 1.0F;
    const float wanted = static_cast<float>(products[i]) * slope + static_cast<float>(beside[i]);
    REQUIRE(static_cast<float>(gradients[i]) == wanted);
  }
}

TEST_CASE("transformed weights that are kept follow their content") {
  const Case c{1, 8, 8, 32, 32, 3};
  const auto x = test::data(Device::cpu, c.x());
  auto weight = test::data(Device::cpu, c.weight(), DType::f32, test::Fill::normal, 2);
  Stream stream(Device::cpu);
  auto y = test::poisoned(Device::cpu, c.y());
  const auto with_stamp = [&](uint64_t stamp) {
    const ConstView view = weight;
    kernels::conv2d(stream, x, ConstView(view.raw(), view.shape(), view.dtype(), Device::cpu, stamp), {}, {}, y);
    return y.values();
  };
  const Values first = with_stamp(0);
  for (int use = 0; use < 12; ++use) CHECK(with_stamp(1) == first);
  // Same stamp, other content: kept weights are what is multiplied by now.
  kernels::scaled_add(stream, 1, weight, 1, weight, weight);
  CHECK(with_stamp(1) == first);
  const Values second = with_stamp(0);
  CHECK(second != first);
  for (int use = 0; use < 12; ++use) CHECK(with_stamp(2) == second);
}
