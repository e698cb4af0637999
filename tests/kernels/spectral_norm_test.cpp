#include "kernels/spectral_norm/spectral_norm.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

using namespace ascore;

namespace {

struct Results {
  std::vector<double> y, u, dw;
  double sigma = 0;
};

template <class A>
void normalize(std::vector<A>& a) {
  A squares = 0;
  for (A value : a) squares += value * value;
  for (A& value : a) value /= std::max(std::sqrt(squares), A(1e-12));
}

/// The formulas of the header, literally, in the type A.
template <class A>
Results plain(size_t O, size_t R, const std::vector<double>& w, const std::vector<double>& u0,
              const std::vector<double>& dy) {
  std::vector<A> v(R), u(O);
  for (size_t r = 0; r < R; ++r) {
    for (size_t o = 0; o < O; ++o) v[r] += A(u0[o]) * A(w[o * R + r]);
  }
  normalize(v);
  for (size_t o = 0; o < O; ++o) {
    for (size_t r = 0; r < R; ++r) u[o] += A(w[o * R + r]) * v[r];
  }
  normalize(u);
  A sigma = 0, product = 0;
  for (size_t o = 0; o < O; ++o) {
    for (size_t r = 0; r < R; ++r) {
      sigma += u[o] * A(w[o * R + r]) * v[r];
      product += A(dy[o * R + r]) * A(w[o * R + r]);
    }
  }
  Results result{{}, {u.begin(), u.end()}, {}, double(sigma)};
  for (size_t i = 0; i < O * R; ++i) {
    result.y.push_back(double(A(w[i]) / sigma));
    result.dw.push_back(double(A(dy[i]) / sigma - product / (sigma * sigma) * u[i / R] * v[i % R]));
  }
  return result;
}

}  // namespace

TEST_CASE("spectral_norm and its gradient agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::wide_types(device)));
  const Shape shape = GENERATE(Shape{1, 1}, Shape{5, 3, 3, 7}, Shape{70, 11}, Shape{1, 300}, Shape{9});
  CAPTURE(name(device), name(dtype), to_string(shape));
  const int64_t O = shape[0], R = shape.count() / O;
  const auto w = test::data(device, shape, dtype, test::Fill::normal, 1);
  const auto u = test::data(device, {O}, dtype, test::Fill::normal, 2);
  const auto dy = test::data(device, shape, dtype, test::Fill::normal, 3);
  const bool wide = dtype == DType::f64;
  const auto reference = plain<long double>(size_t(O), size_t(R), w.values(), u.values(), dy.values());
  const auto naive = (wide ? plain<double> : plain<float>)(size_t(O), size_t(R), w.values(), u.values(), dy.values());
  const double epsilon = wide ? 2.2e-16 : 1.2e-7, floor = 4 * epsilon;  // of a few sums the twin may be lucky in all
  std::optional<std::vector<double>> first_y, first_dw;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype), dw = test::poisoned(device, shape, dtype);
    auto next = test::poisoned(device, {O}, dtype), v = test::poisoned(device, {R}, dtype);
    auto sigma = test::poisoned(device, {1}, dtype);
    auto workspace = test::poisoned(device, {int64_t(kernels::spectral_norm_workspace_bytes(shape, dtype))}, DType::u8);
    kernels::spectral_norm(stream, w, u, y, next, v, sigma);
    kernels::spectral_norm_backward(stream, w, next, v, sigma, dy, dw, workspace);
    stream.synchronize();
    test::require_kernels_ran(stream);
    if (!first_y) first_y = y.values(), first_dw = dw.values();
    CHECK(y.values() == *first_y);
    CHECK(dw.values() == *first_dw);
    CHECK(sigma.values()[0] == Approx(reference.sigma).epsilon(10 * epsilon));
    CHECK_THAT(y.values(), test::at_most_twice_the_error_of(naive.y, reference.y, floor));
    CHECK_THAT(next.values(), test::at_most_twice_the_error_of(naive.u, reference.u, floor));
    if (O > 1 && R > 1) {
      CHECK_THAT(dw.values(), test::at_most_twice_the_error_of(naive.dw, reference.dw, floor));
    } else {  // a single row or column has one singular value, and the gradient along w is zero but for rounding
      CHECK(test::relative_error(dw.values(), reference.dw) < 1000 * epsilon);
    }
  }
}

TEST_CASE("spectral_norm_held divides by u W v of the vectors that it is given, on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::wide_types(device)));
  const Shape shape = GENERATE(Shape{5, 3, 2, 7}, Shape{70, 11}, Shape{1, 300}, Shape{9});
  CAPTURE(name(device), name(dtype), to_string(shape));
  const int64_t O = shape[0], R = shape.count() / O;
  const auto w = test::data(device, shape, dtype, test::Fill::normal, 1);
  const auto u = test::data(device, {O}, dtype, test::Fill::normal, 2);
  const auto v = test::data(device, {R}, dtype, test::Fill::normal, 3);
  const auto weights = w.values(), left = u.values(), right = v.values();
  double sigma = 0, size = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double term = left[i / size_t(R)] * weights[i] * right[i % size_t(R)];
    sigma += term, size += std::abs(term);
  }
  // Each of the terms is rounded a few times, and each sum of up to 300 / 256 per thread as often as that.
  const double epsilon = dtype == DType::f64 ? 2.2e-16 : 1.2e-7, allowed = 8 * epsilon * size / std::abs(sigma);
  std::vector<double> expected;
  for (const double value : weights) expected.push_back(value / sigma);
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype), singular = test::poisoned(device, {1}, dtype);
    auto workspace = test::poisoned(device, {int64_t(kernels::spectral_norm_workspace_bytes(shape, dtype))}, DType::u8);
    kernels::spectral_norm_held(stream, w, u, v, y, singular, workspace);
    stream.synchronize();
    test::require_kernels_ran(stream);
    CHECK(std::abs(singular.values()[0] - sigma) <= allowed * std::abs(sigma));
    CHECK(test::relative_error(y.values(), expected) <= allowed + epsilon);
  }
}

TEST_CASE("spectral_norm refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto w = test::data(device, {4, 6}), u = test::data(device, {4}), y = test::poisoned(device, {4, 6});
  auto v = test::poisoned(device, {6}), sigma = test::poisoned(device, {1}), wrong = test::data(device, {5});
  CHECK_THROWS_AS(kernels::spectral_norm(stream, w, wrong, y, u, v, sigma), ShapeError);
  auto half = test::data(device, {4}, DType::bf16);
  CHECK_THROWS_AS(kernels::spectral_norm(stream, w, half, y, u, v, sigma), DTypeError);
}
