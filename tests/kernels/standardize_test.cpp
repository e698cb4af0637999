#include "kernels/standardize/standardize.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

using namespace ascore;

namespace {

struct Results {
  std::vector<double> y, dx;
};

/// The formulas of the header, literally, in the type A.
template <class A>
Results plain(const std::vector<double>& x, const std::vector<double>& dy) {
  const A M = A(x.size());
  A mean = 0, var = 0, product = 0;
  for (const double value : x) mean += A(value);
  mean /= M;
  for (const double value : x) var += (A(value) - mean) * (A(value) - mean);
  const A r = 1 / (var / (M - 1) + A(1e-10));
  for (size_t i = 0; i < x.size(); ++i) product += A(dy[i]) * A(x[i]);
  Results results;
  for (size_t i = 0; i < x.size(); ++i) {
    results.y.push_back(double(r * A(x[i])));
    results.dx.push_back(double(r * A(dy[i]) - 2 * r * r * (A(x[i]) - mean) * product / (M - 1)));
  }
  return results;
}

test::Buffer workspace(Device device, const Shape& shape) {
  return test::poisoned(device, {int64_t(kernels::standardize_workspace_bytes(shape))}, DType::u8);
}

}  // namespace

TEST_CASE("standardize and its gradient agree with plain loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::wide_types(device)));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::far_from_zero);
  const Shape shape = GENERATE(Shape{1, 1, 2, 1}, Shape{3, 5, 7, 3}, Shape{4096}, Shape{2, 33, 41, 3}, Shape{4097});
  CAPTURE(name(device), name(dtype), int(fill), to_string(shape));
  const auto x = test::data(device, shape, dtype, fill, 1);
  const auto dy = test::data(device, shape, dtype, test::Fill::normal, 2);
  const bool wide = dtype == DType::f64;
  const auto reference = plain<long double>(x.values(), dy.values());
  const auto naive = (wide ? plain<double> : plain<float>)(x.values(), dy.values());
  // Of a few numbers the twin may have the variance exactly; it is two roundings of numbers around 100 that differ by
  // .1.
  const double epsilon = wide ? 2.2e-16 : 1.2e-7, floor = (fill == test::Fill::far_from_zero ? 1000 : 8) * epsilon;
  std::optional<Results> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto y = test::poisoned(device, shape, dtype), dx = test::poisoned(device, shape, dtype);
    auto statistics = test::poisoned(device, {2}, dtype), scratch = workspace(device, shape);
    kernels::standardize(stream, x, y, statistics, scratch);
    auto more = workspace(device, shape);
    kernels::standardize_backward(stream, x, statistics, dy, dx, more);
    stream.synchronize();
    test::require_kernels_ran(stream);
    const Results result{y.values(), dx.values()};
    if (!first) first = result;
    CHECK(result.y == first->y);
    CHECK(result.dx == first->dx);
    CHECK_THAT(result.y, test::at_most_twice_the_error_of(naive.y, reference.y, floor));
    CHECK_THAT(result.dx, test::at_most_twice_the_error_of(naive.dx, reference.dx, floor));
  }
}

TEST_CASE("standardize gives the same bits on any number of threads") {
  const Shape shape{3, 61, 67, 3};
  const auto x = test::data(Device::cpu, shape);
  std::optional<std::vector<double>> first;
  for (int threads : {1, 2, 3}) {
    Stream stream(Device::cpu, {.threads = threads});
    auto y = test::poisoned(Device::cpu, shape), statistics = test::poisoned(Device::cpu, {2});
    auto scratch = workspace(Device::cpu, shape);
    kernels::standardize(stream, x, y, statistics, scratch);
    if (!first) first = y.values();
    CHECK(y.values() == *first);
  }
}

TEST_CASE("standardize refuses a single element and arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto call = [&](const Shape& shape, DType dtype, const Shape& statistics, int64_t bytes) {
    auto x = test::data(device, shape), y = test::poisoned(device, shape, dtype);
    auto s = test::poisoned(device, statistics), scratch = test::poisoned(device, {bytes}, DType::u8);
    kernels::standardize(stream, x, y, s, scratch);
  };
  CHECK_THROWS_AS(call({1}, DType::f32, {2}, 24), ShapeError);
  CHECK_THROWS_AS(call({5}, DType::f32, {3}, 24), ShapeError);
  CHECK_THROWS_AS(call({5}, DType::f32, {2}, 23), ShapeError);
  CHECK_THROWS_AS(call({5}, DType::bf16, {2}, 24), DTypeError);
}
