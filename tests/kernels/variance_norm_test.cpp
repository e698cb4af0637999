#include "kernels/variance_norm/variance_norm.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

struct Results {
  std::vector<double> y, dx, dalpha;
};

/// The formulas of the header, literally, in the type A.
template <class A>
Results plain(const Shape& shape, const std::vector<double>& x, const std::vector<double>& alpha,
              const std::vector<double>& dy, DType dtype) {
  const size_t N = size_t(shape[0]), P = size_t(shape[1] * shape[2]), C = size_t(shape[3]);
  const auto rounded = [&](A value) { return dtype == DType::bf16 ? test::round_bf16(double(value)) : double(value); };
  Results r{std::vector<double>(x.size()), std::vector<double>(x.size()), {}};
  std::vector<A> dalpha(C);
  for (size_t n = 0; n < N; ++n) {
    for (size_t c = 0; c < C; ++c) {
      const auto at = [&](size_t p) { return (n * P + p) * C + c; };
      A mean = 0, var = 0, product = 0;
      for (size_t p = 0; p < P; ++p) mean += A(x[at(p)]) / A(P);
      for (size_t p = 0; p < P; ++p) var += (A(x[at(p)]) - mean) * (A(x[at(p)]) - mean) / A(P - 1);
      const A rstd = 1 / std::sqrt(var + A(1e-5));
      for (size_t p = 0; p < P; ++p) product += A(dy[at(p)]) * A(x[at(p)]);
      for (size_t p = 0; p < P; ++p) {
        r.y[at(p)] = rounded(A(alpha[c]) * A(x[at(p)]) * rstd);
        const A through = (A(x[at(p)]) - mean) * rstd * rstd * product / A(P - 1);
        r.dx[at(p)] = rounded(A(alpha[c]) * rstd * (A(dy[at(p)]) - through));
      }
      dalpha[c] += rstd * product;
    }
  }
  r.dalpha.assign(dalpha.begin(), dalpha.end());
  return r;
}

}  // namespace

TEST_CASE("variance_norm and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::far_from_zero);
  const Shape shape = GENERATE(Shape{1, 1, 3, 4}, Shape{2, 7, 5, 3}, Shape{3, 3, 11, 70}, Shape{0, 4, 3, 5});
  CAPTURE(name(device), name(dtype), int(fill), to_string(shape));
  const int64_t N = shape[0], C = shape[3];
  const auto x = test::data(device, shape, dtype, fill, 1);
  const auto dy = test::data(device, shape, dtype, test::Fill::normal, 2);
  const auto alpha = test::data(device, {C}, DType::f32, test::Fill::normal, 3);
  const auto reference = plain<double>(shape, x.values(), alpha.values(), dy.values(), DType::f64);
  const auto naive = plain<float>(shape, x.values(), alpha.values(), dy.values(), dtype);
  constexpr double kFewNumbers = 4e-7;  // a few sums: the twin may be lucky in all of them
  std::optional<Results> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype), dx = test::poisoned(device, shape, dtype);
    auto mean = test::poisoned(device, {N, C}), rstd = test::poisoned(device, {N, C});
    auto dalpha = test::poisoned(device, {C});
    const auto bytes = [&](size_t count) { return test::poisoned(device, {int64_t(count)}, DType::u8); };
    auto workspace = bytes(kernels::variance_norm_workspace_bytes(shape, dtype));
    auto scratch = bytes(kernels::variance_norm_backward_workspace_bytes(shape, dtype));
    kernels::variance_norm(stream, x, alpha, y, mean, rstd, workspace);
    kernels::variance_norm_backward(stream, x, alpha, mean, rstd, dy, dx, dalpha, scratch);
    stream.synchronize();
    test::require_kernels_ran(stream);
    const Results result{y.values(), dx.values(), dalpha.values()};
    if (!first) first = result;
    CHECK(result.y == first->y);
    CHECK(result.dx == first->dx);
    CHECK(result.dalpha == first->dalpha);
    CHECK_THAT(result.y, test::at_most_twice_the_error_of(naive.y, reference.y, kFewNumbers));
    CHECK_THAT(result.dx, test::at_most_twice_the_error_of(naive.dx, reference.dx, kFewNumbers));
    CHECK_THAT(result.dalpha, test::at_most_twice_the_error_of(naive.dalpha, reference.dalpha, kFewNumbers));
  }
}

TEST_CASE("variance_norm refuses images of one pixel and arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto call = [&](const Shape& shape, DType parameters, int64_t bytes) {
    auto x = test::data(device, shape), y = test::poisoned(device, shape), alpha = test::data(device, {4}, parameters);
    auto mean = test::poisoned(device, {2, 4}), rstd = test::poisoned(device, {2, 4});
    auto workspace = test::poisoned(device, {bytes}, DType::u8);
    kernels::variance_norm(stream, x, alpha, y, mean, rstd, workspace);
  };
  CHECK_THROWS_AS(call({2, 1, 1, 4}, DType::f32, 32), ShapeError);
  CHECK_THROWS_AS(call({2, 1, 2, 5}, DType::f32, 32), ShapeError);
  CHECK_THROWS_AS(call({2, 1, 2, 4}, DType::f32, 31), ShapeError);
  CHECK_THROWS_AS(call({2, 1, 2, 4}, DType::bf16, 32), DTypeError);
}
