#include "kernels/box_weights/box_weights.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

/// A tap of `from` is in the box of a tap of `boxed` at most one further in both directions: the sums by that rule,
/// tap by tap of the smaller kernel, in the type A.
template <class A>
std::vector<double> boxes(const std::vector<double>& weight, const Shape& s) {
  const int64_t k = s[1], I = s[3];
  std::vector<A> all(static_cast<size_t>(s[0] * (k + 1) * (k + 1) * I));
  for (int64_t o = 0; o < s[0]; ++o)
    for (int64_t a = 0; a < k; ++a)
      for (int64_t b = 0; b < k; ++b)
        for (int64_t p = 0; p < 2; ++p)
          for (int64_t q = 0; q < 2; ++q)
            for (int64_t i = 0; i < I; ++i) {
              all[size_t(((o * (k + 1) + a + p) * (k + 1) + b + q) * I + i)] +=
                  A(weight[size_t(((o * k + a) * k + b) * I + i)]) / 4;
            }
  return {all.begin(), all.end()};
}
template <class A>
std::vector<double> box_gradient(const std::vector<double>& dboxed, const Shape& s) {
  const int64_t k = s[1], I = s[3];
  std::vector<A> all(static_cast<size_t>(s.count()));
  for (int64_t o = 0; o < s[0]; ++o)
    for (int64_t a = 0; a < k; ++a)
      for (int64_t b = 0; b < k; ++b)
        for (int64_t i = 0; i < I; ++i)
          for (int64_t p = 0; p < 2; ++p)
            for (int64_t q = 0; q < 2; ++q) {
              all[size_t(((o * k + a) * k + b) * I + i)] +=
                  A(dboxed[size_t(((o * (k + 1) + a + p) * (k + 1) + b + q) * I + i)]) / 4;
            }
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("box_weights and its gradient agree with plain loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(
      filter([device](DType d) { return d != DType::f64 || device == Device::cpu; }, values({DType::f32, DType::f64})));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  const Shape shape =
      GENERATE(Shape{2, 3, 3, 5}, Shape{3, 1, 1, 4}, Shape{1, 5, 5, 1}, Shape{70, 3, 3, 2}, Shape{0, 3, 3, 2});
  CAPTURE(name(device), name(dtype), static_cast<int>(fill), to_string(shape));
  const Shape wide{shape[0], shape[1] + 1, shape[2] + 1, shape[3]};
  const auto weight = test::data(device, shape, dtype, fill, 1), dboxed = test::data(device, wide, dtype, fill, 2);
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto boxed = test::poisoned(device, wide, dtype), dweight = test::poisoned(device, shape, dtype);
    kernels::box_weights(stream, weight, boxed);
    kernels::box_weights_backward(stream, dboxed, dweight);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    const auto reference = boxes<double>(weight.values(), shape),
               gradient = box_gradient<double>(dboxed.values(), shape);
    if (fill == test::Fill::integers) {  // quarters of small integers are exact
      CHECK(boxed.values() == reference);
      CHECK(dweight.values() == gradient);
    } else {
      CHECK_THAT(boxed.values(), test::at_most_twice_the_error_of(boxes<float>(weight.values(), shape), reference));
      CHECK_THAT(dweight.values(),
                 test::at_most_twice_the_error_of(box_gradient<float>(dboxed.values(), shape), gradient));
    }
  }
}

TEST_CASE("box_weights refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto boxed = test::poisoned(device, {2, 4, 4, 3}), same = test::poisoned(device, {2, 3, 3, 3});
  auto half = test::poisoned(device, {2, 4, 4, 3}, DType::bf16);
  const auto weight = test::data(device, {2, 3, 3, 3});
  CHECK_THROWS_AS(kernels::box_weights(stream, weight, same), ShapeError);
  CHECK_THROWS_AS(kernels::box_weights(stream, test::data(device, {2, 4, 4, 3}), boxed), ShapeError);
  CHECK_THROWS_AS(kernels::box_weights(stream, weight, half), DTypeError);
  CHECK_THROWS_AS(kernels::box_weights_backward(stream, boxed, boxed), ShapeError);
}
