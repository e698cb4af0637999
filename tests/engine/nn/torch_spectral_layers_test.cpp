#include "engine/nn/torch_spectral_layers.hpp"

#include "engine/nn/parameters.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <numeric>

using namespace ascore;

namespace {
double squares(const std::vector<double>& values) {
  return std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
}
}  // namespace

TEST_CASE("layers under PyTorch's spectral norm start with directions and divide by the largest singular value") {
  test::Bench bench(Device::cpu);
  TorchSpectralConv2d conv(3, 5, 3);
  ParameterSet set(bench.ctx, conv, DType::f32);
  set.initialise(bench.ctx, 1);
  const auto value = [&](const char* name) { return bench.ctx.to_host(set.find(name)->value); };
  CHECK(set.parameters().size() == 2);
  CHECK(set.buffers().size() == 2);
  REQUIRE(value("weight_u").size() == 5);
  REQUIRE(value("weight_v").size() == 27);
  CHECK(squares(value("weight_u")) == Approx(1));
  CHECK(squares(value("weight_v")) == Approx(1));
  const auto u = value("weight_u");
  const Tensor x = bench.normal({2, 4, 6, 3}, DType::f32, 1);
  conv.forward(bench.ctx, x);
  CHECK(value("weight_u") == u);
  Ctx training = bench.ctx;
  training.training = true;
  for (int i = 0; i < 100; ++i) conv.forward(training, x);
  CHECK(value("weight_u") != u);

  // The plain convolution of the weight divided by |W' u| is what evaluation gives.
  const auto w = value("weight_orig"), left = value("weight_u");
  std::vector<double> product(27);
  for (size_t i = 0; i < w.size(); ++i) product[i % 27] += left[i / 27] * w[i];
  std::vector<double> divided;
  for (const double element : w) divided.push_back(element / std::sqrt(squares(product)));
  const Tensor expected =
      conv2d(bench.ctx, x, bench.ctx.from_host(divided, {5, 3, 3, 3}, DType::f32), set.find("bias")->value);
  const auto got = bench.ctx.to_host(conv.forward(bench.ctx, x)), wanted = bench.ctx.to_host(expected);
  for (size_t i = 0; i < got.size(); i += 7) CHECK(got[i] == Approx(wanted[i]).epsilon(1e-4).margin(1e-5));
}

TEST_CASE("a linear layer under PyTorch's spectral norm has a weight of largest singular value 1") {
  test::Bench bench(Device::cpu);
  TorchSpectralLinear layer(4, 3);
  ParameterSet set(bench.ctx, layer, DType::f32);
  set.initialise(bench.ctx, 2);
  std::vector<std::string> names;
  for (const Parameter* p : layer.parameters()) names.push_back(p->name);
  CHECK(names == std::vector<std::string>{"weight_orig", "bias", "weight_u", "weight_v"});
  Ctx training = bench.ctx;
  training.training = true;
  const Tensor rows = bench.ctx.from_host(std::vector{1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0}, {2, 4}, DType::f32);
  for (int i = 0; i < 200; ++i) layer.forward(training, rows);
  // v, the direction that the weight stretches most, comes out with length 1 (and the bias).
  const Tensor v = set.find("weight_v")->value.alias({1, 4});
  auto y = bench.ctx.to_host(layer.forward(bench.ctx, v));
  const auto bias = bench.ctx.to_host(set.find("bias")->value);
  for (size_t i = 0; i < 3; ++i) y[i] -= bias[i];
  CHECK(squares(y) == Approx(1).epsilon(1e-5));
}
