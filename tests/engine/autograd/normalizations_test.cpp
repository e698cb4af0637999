#include "engine/autograd/normalization.hpp"
#include "engine/nn/normalization_layers.hpp"
#include "engine/nn/parameters.hpp"
#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

using namespace ascore;

TEST_CASE("gradients of group_norm agree with central differences") {
  const Shape x = GENERATE(Shape{2, 3, 4, 6}, Shape{1, 2, 3, 66});
  const auto activation = GENERATE(Activation::identity, Activation::silu);
  const int64_t groups = GENERATE(1, 3, 6);
  const Shape c{x[3]};
  const auto n = static_cast<size_t>(x[3]);
  test::check_gradients(
      [&](Ctx& ctx, const std::vector<Tensor>& in) {
        return group_norm(ctx, in[0], in[1], in[2], groups, 1e-6, activation);
      },
      {x, c, c}, {test::normals(static_cast<size_t>(x.count()), 1), test::normals(n, 2), test::normals(n, 3)});
}

TEST_CASE("a GroupNorm layer refuses groups that do not divide its channels") {
  CHECK_THROWS_AS(GroupNorm(12, 5, 1e-6), ConfigError);
  GroupNorm layer(12, 4, 1e-6);
  REQUIRE(layer.parameters().size() == 2);
  CHECK(layer.parameters()[0]->name == "weight");
  CHECK(layer.parameters()[1]->name == "bias");
}

TEST_CASE("gradients of instance_norm and variance_norm agree with central differences") {
  const Shape x{2, 3, 4, 5};
  const auto values = test::normals(120, 1);
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return instance_norm(ctx, in[0]); }, {x},
                        {values});
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return variance_norm(ctx, in[0], in[1]); },
                        {x, Shape{5}}, {values, test::normals(5, 2)});
}

TEST_CASE("gradients of batch_norm agree with central differences, in training and in evaluation") {
  const bool training = GENERATE(true, false);
  const Shape x{3, 2, 4, 5}, c{5};
  const auto normalized = [&](Ctx& ctx, const std::vector<Tensor>& in) {
    Ctx mode = ctx;
    mode.training = training;
    RunningStatistics running{mode.from_host(test::normals(5, 8), c, DType::f64),
                              mode.from_host(std::vector{0.5, 1.0, 2.0, 0.1, 3.0}, c, DType::f64),
                              mode.zeros({}, DType::f64)};
    return batch_norm(mode, in[0], in[1], in[2], running);
  };
  test::check_gradients(normalized, {x, c, c}, {test::normals(120, 1), test::normals(5, 2), test::normals(5, 3)});
}

TEST_CASE("a BatchNorm layer keeps running statistics as PyTorch's does") {
  test::Bench bench(Device::cpu);
  BatchNorm layer(1);
  ParameterSet set(bench.ctx, layer, DType::f32);
  set.initialise(bench.ctx, 1);
  const auto value = [&](const char* name) { return bench.ctx.to_host(set.find(name)->value).at(0); };
  const Tensor x = bench.ctx.from_host(std::vector{1.0, 2.0, 3.0, 6.0}, {2, 1, 2, 1}, DType::f32);
  layer.forward(bench.ctx, x);  // evaluation: nothing advances
  CHECK(value("num_batches_tracked") == 0);
  CHECK(value("running_mean") == 0);
  CHECK(value("running_var") == 1);
  Ctx training = bench.ctx;
  training.training = true;
  const auto y = bench.ctx.to_host(layer.forward(training, x));
  // mean 3, biased variance 3.5, unbiased 14/3
  CHECK(y[0] == Approx(-2 / std::sqrt(3.5 + 1e-5)));
  CHECK(value("num_batches_tracked") == 1);
  CHECK(value("running_mean") == Approx(0.3));
  CHECK(value("running_var") == Approx(0.9 + 0.1 * 14 / 3));
  layer.forward(training, x);
  CHECK(value("num_batches_tracked") == 2);
  CHECK(value("running_mean") == Approx(0.57));
  const auto evaluated = bench.ctx.to_host(layer.forward(bench.ctx, x));
  CHECK(evaluated[0] == Approx((1 - value("running_mean")) / std::sqrt(value("running_var") + 1e-5)));
}

TEST_CASE("the gradient of standardize agrees with central differences") {
  test::check_gradients([](Ctx& ctx, const std::vector<Tensor>& in) { return standardize(ctx, in[0]); },
                        {Shape{2, 3, 4, 3}}, {test::normals(72, 1)});
}
