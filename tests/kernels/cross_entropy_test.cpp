#include "kernels/cross_entropy/cross_entropy.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/types.hpp"

#include <cmath>
#include <optional>

using namespace ascore;

namespace {

struct Expected {
  std::vector<double> losses, hits, gradient;  ///< the losses, then their mean
};

/// One running sum per row in T, the greatest value taken off first.
template <class T>
Expected expected(const std::vector<double>& x, const std::vector<double>& labels, size_t classes, double arriving) {
  Expected result;
  const size_t samples = labels.size();
  T total = 0;
  for (size_t n = 0; n < samples; ++n) {
    size_t best = 0;
    for (size_t k = 0; k < classes; ++k) best = x[n * classes + k] > x[n * classes + best] ? k : best;
    const T greatest = static_cast<T>(x[n * classes + best]);
    T sum = 0;
    for (size_t k = 0; k < classes; ++k) sum += std::exp(static_cast<T>(x[n * classes + k]) - greatest);
    const auto label = static_cast<size_t>(labels[n]);
    const T loss = greatest - static_cast<T>(x[n * classes + label]) + std::log(sum);
    total += loss;
    result.losses.push_back(static_cast<double>(loss));
    result.hits.push_back(best == label ? 1 : 0);
    for (size_t k = 0; k < classes; ++k) {
      const T share = std::exp(static_cast<T>(x[n * classes + k]) - greatest) / sum;
      result.gradient.push_back(static_cast<double>(static_cast<T>(arriving) / static_cast<T>(samples) *
                                                    (share - static_cast<T>(k == label))));
    }
  }
  result.losses.push_back(static_cast<double>(total / static_cast<T>(samples)));
  return result;
}

std::vector<double> labels_for(int64_t samples, int64_t classes) {
  std::vector<double> labels;
  for (int64_t n = 0; n < samples; ++n) labels.push_back(static_cast<double>((7 * n + n / 3) % classes));
  return labels;
}

}  // namespace

TEST_CASE("cross_entropy, its hits and its gradient agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE_COPY(from_range(test::wide_types(device)));
  const auto fill = GENERATE(test::Fill::normal, test::Fill::integers, test::Fill::far_from_zero);
  const Shape shape = GENERATE(Shape{1, 1}, Shape{5, 10}, Shape{3, 33}, Shape{130, 3}, Shape{2, 1000});
  CAPTURE(name(device), name(dtype), int(fill), to_string(shape));
  const int64_t samples = shape.dim(0), classes = shape.dim(1);
  const auto x = test::data(device, shape, dtype, fill, 1);
  const std::vector<double> given = labels_for(samples, classes);
  const auto labels = test::buffer(device, {samples}, DType::i32, given);
  const auto arriving = test::buffer(device, Shape{}, dtype, std::vector<double>{1.5});
  const auto reference = expected<double>(x.values(), given, static_cast<size_t>(classes), 1.5);
  const auto naive = expected<float>(x.values(), given, static_cast<size_t>(classes), 1.5);

  std::optional<std::vector<double>> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    auto losses = test::poisoned(device, {samples}, dtype), hits = test::poisoned(device, {samples}, dtype);
    auto mean = test::poisoned(device, {}, dtype), grad = test::poisoned(device, shape, dtype);
    kernels::cross_entropy(stream, x, labels, losses, hits, mean);
    kernels::cross_entropy_backward(stream, x, labels, arriving, grad);
    stream.synchronize();
    test::require_kernels_ran(stream);
    std::vector<double> values = losses.values();
    values.push_back(mean.values()[0]);
    if (!first) first = values;
    CHECK(values == *first);
    CHECK(hits.values() == reference.hits);  // integers have many equals: the first counts
    if (dtype == DType::f64) {
      CHECK(test::max_relative_error(values, reference.losses) <= 1e-13);
      CHECK(test::max_relative_error(grad.values(), reference.gradient) <= 1e-13);
    } else {
      CHECK_THAT(values, test::at_most_twice_the_error_of(naive.losses, reference.losses, 3e-7));
      CHECK_THAT(grad.values(), test::at_most_twice_the_error_of(naive.gradient, reference.gradient, 3e-7));
    }
  }
}

TEST_CASE("cross_entropy of certain verdicts is exact, and of a class that there is not, not a number") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const std::vector<double> verdicts{1000, -1000, 0, -1000, 1000, 0, 5, 5, 5, 0, 0, 0};
  const auto x = test::buffer(device, {4, 3}, DType::f32, verdicts);
  const auto labels = test::buffer(device, {4}, DType::i32, std::vector<double>{0, 0, 3, -1});
  auto losses = test::poisoned(device, {4}), hits = test::poisoned(device, {4}), mean = test::poisoned(device, {});
  kernels::cross_entropy(stream, x, labels, losses, hits, mean);
  stream.synchronize();
  const std::vector<double> found = losses.values();
  CHECK(found[0] == 0);
  CHECK(found[1] == 2000);
  CHECK(std::isnan(found[2]));
  CHECK(std::isnan(found[3]));
  CHECK(std::isnan(mean.values()[0]));
  CHECK(hits.values() == std::vector<double>{1, 0, 0, 0});
}

TEST_CASE("cross_entropy spoils what is not a number, and needs no hits") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto labels = test::buffer(device, {1}, DType::i32, std::vector<double>{1});
  for (size_t where = 0; where < 3; ++where) {
    std::vector<double> verdicts{1, 2, 0};
    verdicts[where] = std::nan("");
    const auto x = test::buffer(device, {1, 3}, DType::f32, verdicts);
    auto loss = test::poisoned(device, {1}), mean = test::poisoned(device, {});
    kernels::cross_entropy(stream, x, labels, loss, {}, mean);
    stream.synchronize();
    CHECK(std::isnan(mean.values()[0]));
  }
}

TEST_CASE("cross_entropy refuses arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto x = test::data(device, {2, 3});
  const auto labels = test::buffer(device, {2}, DType::i32, std::vector<double>{0, 1});
  auto losses = test::poisoned(device, {2}), mean = test::poisoned(device, {}), grad = test::poisoned(device, {3, 2});
  const auto run = [&](ConstView verdicts, ConstView classes, View per_sample) {
    kernels::cross_entropy(stream, verdicts, classes, per_sample, {}, mean);
  };
  CHECK_THROWS_AS(run(test::data(device, {6}), labels, losses), ShapeError);
  CHECK_THROWS_AS(run(test::data(device, {3, 2}), labels, losses), ShapeError);
  CHECK_THROWS_AS(run(test::data(device, {2, 0}), labels, losses), ShapeError);
  CHECK_THROWS_AS(run(x, labels, mean), ShapeError);
  CHECK_THROWS_AS(run(x, test::data(device, {2}), losses), DTypeError);
  CHECK_THROWS_AS(run(test::data(device, {2, 3}, DType::bf16), labels, losses), DTypeError);
  CHECK_THROWS_AS(kernels::cross_entropy_backward(stream, x, labels, mean, grad), ShapeError);
}
