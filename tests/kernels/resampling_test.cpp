#include "kernels/bilinear_resize/bilinear_resize.hpp"
#include "kernels/core/error.hpp"
#include "kernels/pixel_sum/pixel_sum.hpp"
#include "kernels/pool2/pool2.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

double rounded(DType dtype, double value) {
  return dtype == DType::bf16 ? test::round_bf16(value) : test::round_f32(value);
}
std::vector<double> rounded(DType dtype, std::vector<double> values) {
  for (double& value : values) value = rounded(dtype, value);
  return values;
}

/// y = M x of a linear map of images, or x = M^T y, from its weights: weight(out row, out column, in row, in column).
struct LinearMap {
  Shape in, out;
  std::function<double(int64_t, int64_t, int64_t, int64_t)> weight;

  /// Summed in the type A.
  template <class A>
  std::vector<double> apply(const std::vector<double>& x, bool transposed) const {
    const Shape& to = transposed ? in : out;
    const Shape& from = transposed ? out : in;
    const int64_t C = in[3];
    std::vector<double> y;
    for (int64_t i = 0; i < to.count(); ++i) {
      const int64_t c = i % C, w = i / C % to[2], h = i / (C * to[2]) % to[1], n = i / (C * to[2] * to[1]);
      A sum = 0;
      for (int64_t r = 0; r < from[1]; ++r) {
        for (int64_t q = 0; q < from[2]; ++q) {
          const double factor = transposed ? weight(r, q, h, w) : weight(h, w, r, q);
          if (factor != 0) sum += A(factor) * A(x[size_t(((n * from[1] + r) * from[2] + q) * C + c)]);
        }
      }
      y.push_back(double(sum));
    }
    return y;
  }
};

/// Weight of in-point p in out-point i with aligned corners: a hat around i's position.
double hat(int64_t i, int64_t p, int64_t in, int64_t out) {
  const double position = out > 1 ? double(i) * double(in - 1) / double(out - 1) : 0.0;
  return std::max(0.0, 1 - std::abs(position - double(p)));
}

/// The same with borders that meet: (i + 1/2) in/out - 1/2, held inside the in-points.
double half_pixel_hat(int64_t i, int64_t p, int64_t in, int64_t out) {
  const double middle = (double(i) + 0.5) * double(in) / double(out) - 0.5;
  const double position = std::min(std::max(middle, 0.0), double(in - 1));
  return std::max(0.0, 1 - std::abs(position - double(p)));
}

using Run = std::function<void(Stream&, ConstView, View)>;

/// Runs both directions on every schedule and compares them with the map.
void check_map(Device device, DType dtype, const LinearMap& map, const Run& forward, const Run& backward) {
  const auto x = test::data(device, map.in, dtype, test::Fill::normal, 1);
  const auto dy = test::data(device, map.out, dtype, test::Fill::normal, 2);
  const auto y_reference = map.apply<double>(x.values(), false), dx_reference = map.apply<double>(dy.values(), true);
  const auto y_naive = rounded(dtype, map.apply<float>(x.values(), false));
  const auto dx_naive = rounded(dtype, map.apply<float>(dy.values(), true));
  constexpr double kFloor = 2e-7;  // two roundings: of a few sums the twin may be lucky in all
  std::optional<std::vector<double>> first_y, first_dx;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, map.out, dtype), dx = test::poisoned(device, map.in, dtype);
    forward(stream, x, y);
    backward(stream, dy, dx);
    stream.synchronize();
    if (map.in.count() || map.out.count()) test::require_kernels_ran(stream);
    if (!first_y) first_y = y.values(), first_dx = dx.values();
    CHECK(y.values() == *first_y);
    CHECK(dx.values() == *first_dx);
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(y_naive, y_reference, kFloor));
    CHECK_THAT(dx.values(), test::at_most_twice_the_error_of(dx_naive, dx_reference, kFloor));
  }
}

}  // namespace

TEST_CASE("pool2_sum and pool2_spread agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const double factor = GENERATE(0.25, 1.0);
  const Shape small = GENERATE(Shape{1, 1, 1, 9}, Shape{2, 3, 5, 7}, Shape{1, 2, 3, 33}, Shape{0, 2, 2, 2});
  CAPTURE(name(device), name(dtype), factor, to_string(small));
  const LinearMap map{{small[0], 2 * small[1], 2 * small[2], small[3]}, small, [&](auto h, auto w, auto r, auto q) {
                        return r / 2 == h && q / 2 == w ? factor : 0.0;
                      }};
  check_map(
      device, dtype, map, [&](Stream& s, ConstView x, View y) { kernels::pool2_sum(s, x, factor, y); },
      [&](Stream& s, ConstView dy, View dx) { kernels::pool2_spread(s, dy, factor, dx); });
}

TEST_CASE("bilinear_resize and its gradient agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto [in, out] = GENERATE(table<Shape, Shape>({{{2, 4, 4, 3}, {2, 8, 8, 3}},
                                                       {{1, 8, 7, 33}, {1, 4, 5, 33}},
                                                       {{1, 1, 3, 2}, {1, 5, 1, 2}},
                                                       {{1, 5, 4, 2}, {1, 1, 9, 2}},
                                                       {{1, 3, 5, 1}, {1, 3, 5, 1}},
                                                       {{1, 7, 7, 1}, {1, 28, 28, 1}},
                                                       {{0, 2, 2, 2}, {0, 4, 4, 2}}}));
  CAPTURE(name(device), name(dtype), to_string(in), to_string(out));
  const LinearMap map{in, out, [from = in, to = out](auto h, auto w, auto r, auto q) {
                        return hat(h, r, from[1], to[1]) * hat(w, q, from[2], to[2]);
                      }};
  check_map(device, dtype, map, kernels::bilinear_resize, kernels::bilinear_resize_backward);
}

TEST_CASE("bilinear_resize_half_pixel agrees with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto [in, out] = GENERATE(table<Shape, Shape>({{{2, 4, 4, 3}, {2, 8, 8, 3}},
                                                       {{1, 8, 7, 33}, {1, 4, 5, 33}},
                                                       {{1, 1, 3, 2}, {1, 5, 1, 2}},
                                                       {{1, 5, 4, 2}, {1, 1, 9, 2}},
                                                       {{1, 3, 5, 1}, {1, 3, 5, 1}},
                                                       {{1, 16, 3, 1}, {1, 3, 23, 1}},
                                                       {{0, 2, 2, 2}, {0, 4, 4, 2}}}));
  CAPTURE(name(device), name(dtype), to_string(in), to_string(out));
  const LinearMap map{in, out, [from = in, to = out](auto h, auto w, auto r, auto q) {
                        return half_pixel_hat(h, r, from[1], to[1]) * half_pixel_hat(w, q, from[2], to[2]);
                      }};
  const auto x = test::data(device, in, dtype);
  const auto reference = map.apply<double>(x.values(), false);
  const auto naive = rounded(dtype, map.apply<float>(x.values(), false));
  std::optional<std::vector<double>> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, out, dtype);
    kernels::bilinear_resize_half_pixel(stream, x, y);
    stream.synchronize();
    if (in.count()) test::require_kernels_ran(stream);
    if (!first) first = y.values();
    CHECK(y.values() == *first);
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(naive, reference, 2e-7));
  }
}

TEST_CASE("pixel_sum and its gradient agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const Shape shape =
      GENERATE(Shape{1, 1, 1, 1}, Shape{2, 7, 5, 3}, Shape{1, 3, 50, 67}, Shape{0, 4, 4, 2}, Shape{2, 0, 3, 5});
  CAPTURE(name(device), name(dtype), to_string(shape));
  const LinearMap map{shape, {shape[0], 1, 1, shape[3]}, [](auto, auto, auto, auto) { return 1.0; }};
  const Shape sums{shape[0], shape[3]};
  check_map(
      device, dtype, map,
      [&](Stream& s, ConstView x, View y) { kernels::pixel_sum(s, x, View(y.raw(), sums, y.dtype(), y.device())); },
      [&](Stream& s, ConstView dy, View dx) {
        kernels::pixel_sum_backward(s, ConstView(dy.raw(), sums, dy.dtype(), dy.device()), dx);
      });
}

TEST_CASE("resampling refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto odd = test::data(device, {1, 3, 4, 2}), small = test::poisoned(device, {1, 1, 2, 2});
  CHECK_THROWS_AS(kernels::pool2_sum(stream, odd, 1, small), ShapeError);
  auto other = test::poisoned(device, {1, 3, 4, 3}), half = test::poisoned(device, {1, 6, 8, 2}, DType::bf16);
  CHECK_THROWS_AS(kernels::bilinear_resize(stream, odd, other), ShapeError);
  CHECK_THROWS_AS(kernels::bilinear_resize(stream, odd, half), DTypeError);
  CHECK_THROWS_AS(kernels::bilinear_resize_half_pixel(stream, odd, other), ShapeError);
  CHECK_THROWS_AS(kernels::bilinear_resize_half_pixel(stream, odd, half), DTypeError);
  CHECK_THROWS_AS(kernels::pool2_spread(stream, odd, 1, half), DTypeError);
  CHECK_THROWS_AS(kernels::pixel_sum(stream, odd, small), ShapeError);
}
