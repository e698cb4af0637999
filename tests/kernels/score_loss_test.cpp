#include "kernels/score_loss/score_loss.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

using namespace ascore;

namespace {

/// Per-sample sums and their mean by one running sum in T.
template <class T>
std::vector<double> losses(DsmLoss kind, int64_t samples, const std::vector<double>& s,
                           const std::vector<double>& target) {
  const size_t size = s.size() / static_cast<size_t>(samples);
  std::vector<double> result;
  T total = 0;
  for (size_t n = 0; n < static_cast<size_t>(samples); ++n) {
    T sum = 0;
    for (size_t i = n * size; i < (n + 1) * size; ++i) {
      const T d = static_cast<T>(s[i]) - static_cast<T>(target[i]);
      sum += kind == DsmLoss::l2 ? T(0.5) * d * d : std::abs(d);
    }
    result.push_back(static_cast<double>(sum));
    total += sum;
  }
  result.push_back(static_cast<double>(total / static_cast<T>(samples)));
  return result;
}

test::Buffer workspace_for(Device device, const Shape& shape) {
  return test::poisoned(device, Shape{static_cast<int64_t>(kernels::score_loss_workspace_bytes(shape))}, DType::u8);
}

}  // namespace

TEST_CASE("score_loss and its gradient agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::wide_types(device)));
  const auto kind = GENERATE(DsmLoss::l2, DsmLoss::l1);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers);
  const Shape shape = GENERATE(Shape{1, 1}, Shape{3, 2}, Shape{2, 5, 7, 3}, Shape{3, 4097}, Shape{2, 0});
  CAPTURE(name(device), name(dtype), int(kind), int(fill), to_string(shape));
  const int64_t samples = shape.dim(0);
  const auto s = test::data(device, shape, dtype, fill, 1), target = test::data(device, shape, dtype, fill, 2);
  const auto s_values = s.values(), target_values = target.values();
  const auto arriving = test::buffer(device, Shape{}, dtype, std::vector<double>{1.5});
  const auto reference = losses<double>(kind, samples, s_values, target_values);
  const auto naive = losses<float>(kind, samples, s_values, target_values);
  std::vector<double> slope, naive_slope;
  for (size_t i = 0; i < s_values.size(); ++i) {
    const double d = s_values[i] - target_values[i];
    const double derivative = kind == DsmLoss::l2 ? d : double(d > 0) - double(d < 0);
    slope.push_back(1.5 / double(samples) * derivative);
    naive_slope.push_back(test::round_f32(test::round_f32(1.5 / double(samples)) * test::round_f32(derivative)));
  }

  std::optional<std::vector<double>> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto sums = test::poisoned(device, Shape{samples}, dtype), mean = test::poisoned(device, Shape{}, dtype);
    auto workspace = workspace_for(device, shape);
    auto grad = test::poisoned(device, shape, dtype);
    kernels::score_loss(stream, kind, s, target, sums, mean, workspace);
    kernels::score_loss_backward(stream, kind, s, target, arriving, grad);
    stream.synchronize();
    test::require_kernels_ran(stream);
    std::vector<double> values = sums.values();
    values.push_back(mean.values()[0]);
    if (!first) first = values;
    CHECK(values == *first);
    if (dtype == DType::f64) {
      CHECK(test::max_relative_error(values, reference) <= 1e-14);
      CHECK(test::max_relative_error(grad.values(), slope) <= 1e-15);
    } else {
      CHECK_THAT(values, test::at_most_twice_the_error_of(naive, reference));
      CHECK_THAT(grad.values(), test::at_most_twice_the_error_of(naive_slope, slope));
      if (fill == test::Fill::integers) {
        values.pop_back();
        CHECK(values == std::vector<double>(reference.begin(), reference.end() - 1));
      }
    }
  }
}

TEST_CASE("a sample's score_loss does not depend on the batch it is in") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto s = test::data(device, {3, 5000}),
             target = test::data(device, {3, 5000}, DType::f32, test::Fill::normal, 2);
  Stream stream(device);
  const auto run = [&](int64_t first, int64_t count) {
    const auto rows = [&](ConstView x) {
      return ConstView(static_cast<const float*>(x.raw()) + first * 5000, Shape{count, 5000}, DType::f32, device);
    };
    auto sums = test::poisoned(device, Shape{count}), mean = test::poisoned(device, Shape{});
    auto workspace = workspace_for(device, Shape{count, 5000});
    kernels::score_loss(stream, DsmLoss::l2, rows(s), rows(target), sums, mean, workspace);
    stream.synchronize();
    return sums.values();
  };
  const auto together = run(0, 3);
  for (int64_t n = 0; n < 3; ++n) CHECK(run(n, 1)[0] == together[static_cast<size_t>(n)]);
}

TEST_CASE("score_loss refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto s = test::data(device, {2, 3});
  auto sums = test::poisoned(device, {2}), mean = test::poisoned(device, {});
  const auto run = [&](ConstView a, ConstView b, View per_sample) {
    kernels::score_loss(stream, DsmLoss::l2, a, b, per_sample, mean, {});
  };
  CHECK_THROWS_AS(run(s, test::data(device, {3, 2}), sums), ShapeError);
  CHECK_THROWS_AS(run(s, s, mean), ShapeError);
  CHECK_THROWS_AS(run(test::data(device, {0, 3}), test::data(device, {0, 3}), test::poisoned(device, {0})), ShapeError);
  const auto half = test::data(device, {2, 3}, DType::bf16);
  CHECK_THROWS_AS(run(half, half, sums), DTypeError);
  if (device != Device::cpu) {
    const auto large = test::data(device, {2, 5000});
    CHECK_THROWS_AS(run(large, large, sums), ShapeError);
  }
}
