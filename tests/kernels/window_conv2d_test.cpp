#include "kernels/conv2d/window_conv2d.hpp"

#include "kernels/conv2d/conv2d.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <optional>
#include <ostream>

using namespace ascore;
using kernels::WindowConv2dOptions;

namespace {

using Values = std::vector<double>;

struct Case {
  int64_t N, H, W, I, O, a, b;
  int s, p, q;
  int64_t out_h() const { return (H + 2 * p - a) / s + 1; }
  int64_t out_w() const { return (W + 2 * q - b) / s + 1; }
  Shape x() const { return {N, H, W, I}; }
  Shape y() const { return {N, out_h(), out_w(), O}; }
  Shape weight() const { return {O, a, b, I}; }
  WindowConv2dOptions options(Activation f = Activation::identity) const {
    return {.stride = s, .pad_height = p, .pad_width = q, .activation = f};
  }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << 'N' << c.N << ' ' << c.H << 'x' << c.W << ' ' << c.I << "->" << c.O << " window " << c.a << 'x' << c.b
             << " s" << c.s << " pad " << c.p << ',' << c.q;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      // Inception's: rows, columns, no padding at all, strides of 2 on sizes even and odd
      {1, 5, 8, 3, 5, 1, 7, 1, 0, 3},
      {2, 8, 5, 8, 8, 7, 1, 1, 3, 0},
      {1, 4, 6, 5, 9, 1, 3, 1, 0, 1},
      {1, 6, 4, 16, 3, 3, 1, 1, 1, 0},
      {1, 9, 7, 3, 8, 3, 3, 2, 0, 0},
      {1, 8, 6, 8, 5, 3, 3, 2, 0, 0},
      {2, 5, 4, 4, 7, 3, 3, 1, 0, 0},
      // others: a window as large as the image, even ones, more padding on one side, strides beyond the window
      {1, 3, 5, 2, 3, 3, 5, 1, 0, 0},
      {1, 6, 7, 3, 4, 2, 4, 3, 1, 2},
      {1, 7, 9, 1, 1, 1, 1, 4, 0, 0},
      {1, 2, 2, 8, 16, 5, 3, 1, 4, 2},
      {0, 4, 5, 3, 5, 3, 1, 1, 1, 0},
      // more than one tile each way
      {1, 9, 16, 8, 136, 1, 3, 1, 0, 1},
      {1, 19, 17, 4, 6, 3, 1, 1, 0, 0},
  };
  return all;
}

/// In plain loops; Acc = double is the reference, float the naive twin.
template <class Acc>
Values convolved(const Case& c, const Values& x, const Values& weight, const Values& bias, bool relu) {
  Values y;
  for (int64_t n = 0; n < c.N; ++n)
    for (int64_t h = 0; h < c.out_h(); ++h)
      for (int64_t w = 0; w < c.out_w(); ++w)
        for (int64_t o = 0; o < c.O; ++o) {
          Acc sum = 0;
          for (int64_t i = 0; i < c.a; ++i)
            for (int64_t j = 0; j < c.b; ++j) {
              const int64_t row = c.s * h + i - c.p, column = c.s * w + j - c.q;
              if (row < 0 || row >= c.H || column < 0 || column >= c.W) continue;
              for (int64_t k = 0; k < c.I; ++k)
                sum += static_cast<Acc>(weight[((o * c.a + i) * c.b + j) * c.I + k]) *
                       static_cast<Acc>(x[((n * c.H + row) * c.W + column) * c.I + k]);
            }
          sum += static_cast<Acc>(bias[o]);
          y.push_back(relu && sum < 0 ? 0.0 : static_cast<double>(sum));
        }
  return y;
}

Values rounded(Values values, DType dtype) {
  if (dtype == DType::f64) return values;
  for (double& v : values) v = dtype == DType::bf16 ? test::round_bf16(v) : test::round_f32(v);
  return values;
}

std::vector<DType> dtypes(Device device) {
  if (device == Device::cpu) return {DType::f32, DType::bf16, DType::f64};
  return {DType::f32, DType::bf16};
}

}  // namespace

TEST_CASE("window_conv2d agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(dtypes(device)));
  const auto c = GENERATE(from_range(cases()));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  const bool relu = GENERATE(false, true);
  const bool exact = fill == test::Fill::integers;
  CAPTURE(name(device), name(dtype), c, exact, relu);
  const DType sums = accumulator(dtype);
  const auto x = test::data(device, c.x(), dtype, fill, 1);
  const auto weight = test::data(device, c.weight(), c.O == 8 ? dtype : sums, fill, 2);
  const auto bias = test::data(device, {c.O}, sums, fill, 3);
  const Values xs = x.values(), ws = rounded(weight.values(), dtype), bs = bias.values();
  const Values reference = convolved<double>(c, xs, ws, bs, relu);
  std::optional<Values> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, c.y(), dtype);
    kernels::window_conv2d(stream, x, weight, bias, c.options(relu ? Activation::relu : Activation::identity), y);
    stream.synchronize();
    if (c.N > 0) test::require_kernels_ran(stream);
    if (!first) first = y.values();
    CHECK(y.values() == *first);
  }
  if (exact) {
    CHECK(*first == rounded(reference, dtype));
  } else if (dtype == DType::f64) {
    CHECK_THAT(*first, test::at_most_twice_the_error_of(reference, reference, 1e-14));
  } else {
    // As conv2d's: products of f32 by three of tf32 have an error of their own.
    const double floor = device == Device::cpu ? 1e-7 : 4e-7;
    CHECK_THAT(*first, test::at_most_twice_the_error_of(rounded(convolved<float>(c, xs, ws, bs, relu), dtype),
                                                        reference, floor));
  }
}

TEST_CASE("a window of conv2d's kind gives what conv2d gives") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {2, 6, 5, 8}, DType::f32, test::Fill::integers, 1);
  const auto weight = test::data(device, {6, 3, 3, 8}, DType::f32, test::Fill::integers, 2);
  auto y = test::poisoned(device, {2, 3, 3, 6}), expected = test::poisoned(device, {2, 3, 3, 6});
  kernels::window_conv2d(stream, x, weight, {}, {.stride = 2, .pad_height = 1, .pad_width = 1}, y);
  kernels::conv2d(stream, x, weight, {}, {.stride = 2}, expected);
  stream.synchronize();
  CHECK(y.values() == expected.values());
}

TEST_CASE("an image's windows are the same in any batch and with any number of threads") {
  const auto device = GENERATE(from_range(test::devices()));
  const int64_t channels = GENERATE(8, 64);
  if (device == Device::simt && channels > 8) return;
  const Case all{3, 6, 9, channels, channels + 4, 1, 7, 1, 0, 3};
  CAPTURE(name(device), channels);
  const auto x = test::data(device, all.x()), weight = test::data(device, all.weight());
  const auto bias = test::data(device, {all.O});
  const Values xs = x.values();
  std::optional<Values> first;
  for (int threads : {1, 2}) {
    for (int64_t batch : {1, 3}) {
      Case c = all;
      c.N = batch;
      Stream stream(device, {.threads = threads});
      const auto part = test::buffer(device, c.x(), DType::f32, std::span(xs).first(size_t(c.x().count())));
      auto y = test::poisoned(device, c.y());
      kernels::window_conv2d(stream, part, weight, bias, c.options(), y);
      stream.synchronize();
      Values image = y.values();
      image.resize(image.size() / size_t(batch));
      if (!first) first = image;
      CHECK(image == *first);
    }
  }
}

TEST_CASE("window_conv2d refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {1, 4, 5, 3}), weight = test::data(device, {2, 1, 3, 3});
  auto y = test::poisoned(device, {1, 4, 3, 2});
  const auto refuses = [&](const auto& input, const auto& factor, ConstView bias, const WindowConv2dOptions& options,
                           auto& output) {
    CHECK_THROWS_AS(kernels::window_conv2d(stream, input, factor, bias, options, output), ShapeError);
  };
  kernels::window_conv2d(stream, x, weight, {}, {}, y);
  refuses(x, test::data(device, {2, 1, 3, 4}), {}, {}, y);  // channels
  refuses(x, weight, {}, {.pad_width = 1}, y);              // another width
  refuses(x, weight, {}, {.pad_height = 1}, y);             // padding of a whole window
  refuses(x, weight, {}, {.pad_width = -1}, y);             // negative padding
  refuses(x, weight, {}, {.stride = 0}, y);                 // no stride
  refuses(x, weight, test::data(device, {3}), {}, y);       // bias
  auto none = test::poisoned(device, {1, 0, 5, 2});
  refuses(x, test::data(device, {2, 5, 1, 3}), {}, {}, none);  // a window higher than the image
  auto half = test::poisoned(device, {1, 4, 3, 2}, DType::bf16);
  CHECK_THROWS_AS(kernels::window_conv2d(stream, x, weight, {}, {}, half), DTypeError);
}
