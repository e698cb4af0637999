#include "kernels/upsampled_weights/upsampled_weights.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;

namespace {

/// Calls visit(element of weight [O,k,k,I], element of spread [I,k+1,k+1,O] that it is part of) for all such pairs, by
/// what a transposed convolution of stride 2 is: tap (e,f) takes pixel h to 2h + e - (k-1)/2, and tap a of the
/// convolution takes a doubled pixel 2h + p to 2h + p - a + (k-1)/2.
template <class Visit>
void for_parts(const Shape& weight, Visit visit) {
  const int64_t O = weight[0], k = weight[1], I = weight[3];
  for (int64_t o = 0; o < O; ++o)
    for (int64_t a = 0; a < k; ++a)
      for (int64_t b = 0; b < k; ++b)
        for (int64_t i = 0; i < I; ++i)
          for (int64_t p = 0; p < 2; ++p)
            for (int64_t q = 0; q < 2; ++q) {
              const int64_t e = p - a + k - 1, f = q - b + k - 1;
              visit(size_t(((o * k + a) * k + b) * I + i), size_t(((i * (k + 1) + e) * (k + 1) + f) * O + o));
            }
}
template <class A>
std::vector<double> spread_of(const std::vector<double>& weight, const Shape& shape, const Shape& wide) {
  std::vector<A> all(static_cast<size_t>(wide.count()));
  for_parts(shape, [&](size_t from, size_t to) { all[to] += static_cast<A>(weight[from]); });
  return {all.begin(), all.end()};
}
template <class A>
std::vector<double> gradient_of(const std::vector<double>& dspread, const Shape& shape) {
  std::vector<A> all(static_cast<size_t>(shape.count()));
  for_parts(shape, [&](size_t to, size_t from) { all[to] += static_cast<A>(dspread[from]); });
  return {all.begin(), all.end()};
}

}  // namespace

TEST_CASE("upsampled_weights and its gradient agree with plain loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(
      filter([device](DType d) { return d != DType::f64 || device == Device::cpu; }, values({DType::f32, DType::f64})));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  const Shape shape =
      GENERATE(Shape{2, 3, 3, 5}, Shape{3, 1, 1, 4}, Shape{1, 5, 5, 1}, Shape{70, 3, 3, 33}, Shape{0, 3, 3, 2});
  CAPTURE(name(device), name(dtype), static_cast<int>(fill), to_string(shape));
  const Shape wide{shape[3], shape[1] + 1, shape[2] + 1, shape[0]};
  const auto weight = test::data(device, shape, dtype, fill, 1), dspread = test::data(device, wide, dtype, fill, 2);
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto spread = test::poisoned(device, wide, dtype), dweight = test::poisoned(device, shape, dtype);
    kernels::upsampled_weights(stream, weight, spread);
    kernels::upsampled_weights_backward(stream, dspread, dweight);
    stream.synchronize();
    if (shape.count()) test::require_kernels_ran(stream);
    const auto reference = spread_of<double>(weight.values(), shape, wide);
    const auto gradient = gradient_of<double>(dspread.values(), shape);
    if (fill == test::Fill::integers) {
      CHECK(spread.values() == reference);
      CHECK(dweight.values() == gradient);
    } else {
      CHECK_THAT(spread.values(),
                 test::at_most_twice_the_error_of(spread_of<float>(weight.values(), shape, wide), reference));
      CHECK_THAT(dweight.values(),
                 test::at_most_twice_the_error_of(gradient_of<float>(dspread.values(), shape), gradient));
    }
  }
}

TEST_CASE("upsampled_weights refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  auto spread = test::poisoned(device, {3, 4, 4, 2}), unturned = test::poisoned(device, {2, 4, 4, 3});
  auto half = test::poisoned(device, {3, 4, 4, 2}, DType::bf16);
  const auto weight = test::data(device, {2, 3, 3, 3});
  CHECK_THROWS_AS(kernels::upsampled_weights(stream, weight, unturned), ShapeError);
  CHECK_THROWS_AS(kernels::upsampled_weights(stream, test::data(device, {2, 4, 4, 3}), spread), ShapeError);
  CHECK_THROWS_AS(kernels::upsampled_weights(stream, weight, half), DTypeError);
  CHECK_THROWS_AS(kernels::upsampled_weights_backward(stream, spread, spread), ShapeError);
}
