#include "engine/nn/pytorch_layout.hpp"

#include "kernels/core/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"

#include <numeric>

using namespace ascore;

namespace {
struct Convolution final : Module {
  Convolution() {
    parameter("weight", {3, 3, 3, 2}, Init::fan_in_uniform(), ParameterLayout::conv);
    parameter("bias", {3}, Init::zeros());
  }
};
struct Small final : Module {
  Small() {
    add<Convolution>("conv");
    buffer("u0", {1, 3}, Init::zeros());
    buffer("v", {3, 3, 2}, Init::zeros(), ParameterLayout::conv_row);
  }
};

HostTensor counting(const Shape& shape) {
  std::vector<double> values(static_cast<size_t>(shape.count()));
  std::iota(values.begin(), values.end(), 0.0);
  return HostTensor::from_doubles(values, shape, DType::f32);
}

StateDict state() {
  return {{"net.conv.weight", counting({3, 2, 3, 3})},
          {"net.conv.bias", counting({3})},
          {"net.u0", counting({1, 3})},
          {"net.v", counting({18})}};
}
}  // namespace

TEST_CASE("a PyTorch state travels in and out unchanged, and lies inside as OHWI", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  const DType dtype = GENERATE(DType::f32, DType::f64);
  Small net;
  ParameterSet set(bench.ctx, net, dtype);
  const StateDict in = state();
  check_names(set, in, "net.");
  from_state_dict(bench.ctx, set, set.flat(), in, "net.");
  buffers_from_state_dict(bench.ctx, set, in, "net.");
  const Parameter& weight = *set.find("conv.weight");
  CHECK(weight.value.shape() == Shape{3, 3, 3, 2});
  // [o,kh,kw,i] = [2,1,0,1] is PyTorch's [o,i,kh,kw] = [2,1,1,0].
  CHECK(bench.ctx.to_host(weight.value)[2 * 18 + 1 * 6 + 0 * 2 + 1] == 2 * 18 + 1 * 9 + 1 * 3 + 0);
  // Element [kh,kw,i] = [2,0,1] of a row is PyTorch's [i,kh,kw] = [1,2,0].
  CHECK(bench.ctx.to_host(set.find("v")->value)[2 * 6 + 0 * 2 + 1] == 1 * 9 + 2 * 3 + 0);
  StateDict out = to_state_dict(bench.stream, set, set.flat(), "net.");
  out.merge(buffers_to_state_dict(bench.stream, set, "net."));
  REQUIRE(out.size() == in.size());
  for (const auto& [name, value] : in) {
    CAPTURE(name);
    CHECK(out.at(name).shape == value.shape);
    CHECK(out.at(name).dtype == dtype);
    CHECK(out.at(name).to_doubles() == value.to_doubles());
  }
}

TEST_CASE("a state of another network is refused by name", "[engine][nn]") {
  test::Bench bench(Device::cpu);
  Small net;
  ParameterSet set(bench.ctx, net, DType::f32);
  StateDict missing = state(), foreign = state(), misshapen = state();
  missing.erase("net.conv.bias");
  foreign.emplace("net.extra", counting({1}));
  misshapen.at("net.conv.weight") = counting({3, 2, 1, 1});
  CHECK_THROWS_WITH(from_state_dict(bench.ctx, set, set.flat(), missing, "net."), Catch::Contains("net.conv.bias"));
  CHECK_THROWS_AS(from_state_dict(bench.ctx, set, set.flat(), misshapen, "net."), DataError);
  CHECK_THROWS_WITH(check_names(set, foreign, "net."), Catch::Contains("net.extra"));
  CHECK_NOTHROW(check_names(set, foreign, "other."));
}
