#include "kernels/batch_norm/batch_norm.hpp"

#include "kernels/channel_norm/channel_norm.hpp"
#include "kernels/channel_norm/channel_statistics.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

using namespace ascore;
using kernels::BatchStatistics;

namespace {

constexpr double kEpsilon = 1e-3, kMomentum = 0.25;

struct Results {
  std::vector<double> y, dx, dgamma, dbeta, running_mean, running_var;
};

struct Inputs {
  test::Buffer x, dy, gamma, beta, running_mean, running_var;
};

Inputs inputs(Device device, const Shape& shape, DType dtype, test::Fill fill) {
  const Shape c{shape[3]};
  const auto squares = test::data(device, c, DType::f32, test::Fill::normal, 7).values();
  std::vector<double> variance;
  for (double value : squares) variance.push_back(test::round_f32(0.1 + value * value));
  return {test::data(device, shape, dtype, fill, 1),
          test::data(device, shape, dtype, test::Fill::normal, 2),
          test::data(device, c, DType::f32, test::Fill::normal, 3),
          test::data(device, c, DType::f32, test::Fill::normal, 4),
          test::data(device, c, DType::f32, fill, 5),
          test::buffer(device, c, DType::f32, variance)};
}

/// The formulas of the header, literally, in the type A.
template <class A>
Results plain(const Shape& shape, const Inputs& in, BatchStatistics statistics, DType dtype) {
  const size_t M = size_t(shape[0] * shape[1] * shape[2]), C = size_t(shape[3]);
  const auto x = in.x.values(), dy = in.dy.values(), gamma = in.gamma.values(), beta = in.beta.values();
  const auto rounded = [&](A value) { return dtype == DType::bf16 ? test::round_bf16(double(value)) : double(value); };
  Results r{std::vector<double>(x.size()), std::vector<double>(x.size()), {}, {},
            in.running_mean.values(),      in.running_var.values()};
  const bool training = statistics == BatchStatistics::of_the_batch;
  for (size_t c = 0; c < C; ++c) {
    A mean = 0, var = 0, total_g = 0, total_gx = 0;
    for (size_t i = c; i < M * C; i += C) mean += A(x[i]) / A(M);
    for (size_t i = c; i < M * C; i += C) var += (A(x[i]) - mean) * (A(x[i]) - mean);
    if (training) {
      r.running_mean[c] = double(A(1 - kMomentum) * A(r.running_mean[c]) + A(kMomentum) * mean);
      r.running_var[c] = double(A(1 - kMomentum) * A(r.running_var[c]) + A(kMomentum) * var / A(M - 1));
      var /= A(M);
    } else {
      mean = A(r.running_mean[c]), var = A(r.running_var[c]);
    }
    const A rstd = 1 / std::sqrt(var + A(kEpsilon));
    const auto xhat = [&](size_t i) { return (A(x[i]) - mean) * rstd; };
    for (size_t i = c; i < M * C; i += C) {
      r.y[i] = rounded(A(gamma[c]) * xhat(i) + A(beta[c]));
      total_g += A(dy[i]);
      total_gx += A(dy[i]) * xhat(i);
    }
    r.dgamma.push_back(double(total_gx));
    r.dbeta.push_back(double(total_g));
    for (size_t i = c; i < M * C; i += C) {
      const A through = training ? total_g / A(M) + xhat(i) * total_gx / A(M) : A(0);
      r.dx[i] = rounded(A(gamma[c]) * rstd * (A(dy[i]) - through));
    }
  }
  return r;
}

/// What the kernels give, all gradients wanted; the running statistics of `in` advance.
Results run(Stream& stream, const Shape& shape, Inputs& in, BatchStatistics statistics) {
  const Device device = stream.device();
  const DType dtype = in.x.dtype();
  const Shape c{shape[3]};
  auto y = test::poisoned(device, shape, dtype), dx = test::poisoned(device, shape, dtype);
  auto mean = test::poisoned(device, c), rstd = test::poisoned(device, c), dgamma = test::poisoned(device, c);
  auto dbeta = test::poisoned(device, c);
  const auto bytes = [&](size_t count) { return test::poisoned(device, {int64_t(count)}, DType::u8); };
  auto workspace = bytes(kernels::batch_norm_workspace_bytes(shape, dtype));
  auto scratch = bytes(kernels::batch_norm_backward_workspace_bytes(shape, dtype));
  const bool training = statistics == BatchStatistics::of_the_batch;
  if (training) {
    kernels::batch_norm(stream, in.x, in.gamma, in.beta, kEpsilon, kMomentum, y, mean, rstd, in.running_mean,
                        in.running_var, workspace);
  } else {
    kernels::inverse_deviation(stream, in.running_var, 1, kEpsilon, rstd);
    kernels::channel_norm(stream, in.x, in.running_mean, rstd, in.gamma, in.beta, Activation::identity, y);
  }
  kernels::batch_norm_backward(stream, statistics, in.x, in.gamma, training ? ConstView(mean) : in.running_mean, rstd,
                               in.dy, dx, dgamma, dbeta, scratch);
  stream.synchronize();
  return {y.values(), dx.values(), dgamma.values(), dbeta.values(), in.running_mean.values(), in.running_var.values()};
}

}  // namespace

TEST_CASE("batch_norm and its gradients agree with plain f64 loops on every device") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto dtype = GENERATE(DType::f32, DType::bf16);
  const auto fill = GENERATE(test::Fill::normal, test::Fill::far_from_zero);
  const auto statistics = GENERATE(BatchStatistics::of_the_batch, BatchStatistics::running);
  const Shape shape = GENERATE(Shape{1, 2, 3, 4}, Shape{11, 1, 1, 3}, Shape{3, 5, 7, 70}, Shape{2, 17, 16, 33});
  CAPTURE(name(device), name(dtype), int(fill), int(statistics), to_string(shape));
  Inputs in = inputs(device, shape, dtype, fill);
  const auto reference = plain<double>(shape, in, statistics, DType::f64);
  const auto naive = plain<float>(shape, in, statistics, dtype);
  // A few sums: the twin may be lucky in all of them. And a mean of 100 in f32 is off by up to 4e-6, 4e-5 of the
  // spread.
  const double floor = fill == test::Fill::far_from_zero ? 1e-4 : 4e-7;
  std::optional<Results> first;
  for (uint64_t schedule : test::schedules(device)) {
    Stream stream(device, {.schedule = schedule});
    in = inputs(device, shape, dtype, fill);
    const Results result = run(stream, shape, in, statistics);
    test::require_kernels_ran(stream);
    if (!first) first = result;
    CHECK(result.y == first->y);
    CHECK(result.dx == first->dx);
    CHECK(result.dgamma == first->dgamma);
    CHECK_THAT(result.y, test::at_most_twice_the_error_of(naive.y, reference.y, floor));
    CHECK_THAT(result.dx, test::at_most_twice_the_error_of(naive.dx, reference.dx, floor));
    CHECK_THAT(result.dgamma, test::at_most_twice_the_error_of(naive.dgamma, reference.dgamma, floor));
    CHECK_THAT(result.dbeta, test::at_most_twice_the_error_of(naive.dbeta, reference.dbeta, floor));
    CHECK_THAT(result.running_mean, test::at_most_twice_the_error_of(naive.running_mean, reference.running_mean));
    CHECK_THAT(result.running_var, test::at_most_twice_the_error_of(naive.running_var, reference.running_var, floor));
  }
}

TEST_CASE("batch_norm gives the same bits on any number of threads") {
  const Shape shape{5, 9, 7, 66};
  std::optional<Results> first;
  for (int threads : {1, 2, 3}) {
    Stream stream(Device::cpu, {.threads = threads});
    Inputs in = inputs(Device::cpu, shape, DType::f32, test::Fill::normal);
    const Results result = run(stream, shape, in, BatchStatistics::of_the_batch);
    if (!first) first = result;
    CHECK(result.y == first->y);
    CHECK(result.dx == first->dx);
    CHECK(result.running_var == first->running_var);
  }
}

TEST_CASE("batch_norm gives only the gradients that are asked for") {
  const auto device = GENERATE(from_range(test::devices()));
  const auto statistics = GENERATE(BatchStatistics::of_the_batch, BatchStatistics::running);
  const Shape shape{2, 3, 5, 6};
  Inputs in = inputs(device, shape, DType::f32, test::Fill::normal);
  Stream stream(device);
  const Results all = run(stream, shape, in, BatchStatistics::running);
  auto rstd = test::poisoned(device, {6}), dx = test::poisoned(device, shape), dgamma = test::poisoned(device, {6});
  auto scratch =
      test::poisoned(device, {int64_t(kernels::batch_norm_backward_workspace_bytes(shape, DType::f32))}, DType::u8);
  kernels::inverse_deviation(stream, in.running_var, 1, kEpsilon, rstd);
  const auto backward = [&](View x, View gamma) {
    kernels::batch_norm_backward(stream, statistics, in.x, in.gamma, in.running_mean, rstd, in.dy, x, gamma, {},
                                 scratch);
    stream.synchronize();
  };
  backward(dx, {});
  if (statistics == BatchStatistics::running) CHECK(dx.values() == all.dx);
  CHECK(test::relative_error(dx.values(), all.dx) < 2);  // written: no poison left
  backward({}, dgamma);
  CHECK(dgamma.values() == all.dgamma);
}

TEST_CASE("batch_norm refuses a single pixel and arguments that do not fit") {
  const auto device = GENERATE(from_range(test::devices()));
  Stream stream(device);
  const auto call = [&](const Shape& shape, const Shape& statistics, DType parameters, int64_t bytes) {
    auto x = test::data(device, shape), y = test::poisoned(device, shape);
    auto c = test::data(device, {shape[3]}, parameters), s = test::poisoned(device, statistics);
    auto mean = test::poisoned(device, statistics), rstd = test::poisoned(device, statistics);
    auto running = test::data(device, statistics), workspace = test::poisoned(device, {bytes}, DType::u8);
    kernels::batch_norm(stream, x, c, c, 1e-5, 0.1, y, mean, rstd, running, s, workspace);
  };
  CHECK_THROWS_AS(call({1, 1, 1, 4}, {4}, DType::f32, 64), ShapeError);
  CHECK_THROWS_AS(call({2, 1, 1, 4}, {5}, DType::f32, 64), ShapeError);
  CHECK_THROWS_AS(call({2, 1, 1, 4}, {4}, DType::f32, 63), ShapeError);
  CHECK_THROWS_AS(call({2, 1, 1, 4}, {4}, DType::bf16, 64), DTypeError);
}
