#include "models/unet.hpp"

#include "engine/nn/parameters.hpp"
#include "engine/nn/pytorch_layout.hpp"
#include "engine/training/random_streams.hpp"
#include "kernels/core/error.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <cmath>

using namespace ascore;

namespace {

int64_t values(Module& module, const std::string& prefix = "") {
  int64_t total = 0;
  for (const Parameter* p : module.parameters()) total += p->name.starts_with(prefix) ? p->shape.count() : 0;
  return total;
}

const Parameter& find(Module& module, const std::string& name) {
  const auto all = module.parameters();
  const auto found = std::ranges::find(all, name, &Parameter::name);
  INFO(name);
  REQUIRE(found != all.end());
  return **found;
}

/// Of 8x4 pixels, two levels, the second with attention.
ScoreNetworkConfig small() {
  return {.name = "unet", .sample_shape = {8, 4, 2}, .width = 4, .multipliers = {1, 2}, .groups = 2};
}

/// A network with drawn parameters in f64.
struct Ready {
  test::Bench bench{Device::cpu, DType::f64};
  std::unique_ptr<ScoreNetwork> net;
  ParameterSet parameters;
  explicit Ready(const ScoreNetworkConfig& config)
      : net(make_score_network(config)), parameters(bench.ctx, *net, DType::f64) {
    parameters.initialise(bench.ctx, 3);
  }
  StateDict state() { return to_state_dict(bench.stream, parameters, parameters.flat()); }
  std::vector<double> operator()(const std::vector<double>& x, const std::vector<double>& sigma) {
    const auto rows = static_cast<int64_t>(sigma.size());
    Ctx& ctx = bench.ctx;
    return ctx.to_host(
        net->forward(ctx, ctx.from_host(x, {rows, 8, 4, 2}, DType::f64), ctx.from_host(sigma, {rows}, DType::f64)));
  }
};

/// weight [O,I] x + bias.
std::vector<double> affine_map(const StateDict& state, const std::string& layer, const std::vector<double>& x) {
  const std::vector<double> weight = state.at(layer + ".weight").to_doubles();
  std::vector<double> y = state.at(layer + ".bias").to_doubles();
  for (size_t o = 0; o < y.size(); ++o) {
    for (size_t i = 0; i < x.size(); ++i) y[o] += weight[o * x.size() + i] * x[i];
  }
  return y;
}

/// The embedding of the level with index t, by the formula.
std::vector<double> embedding(const StateDict& state, double t, int64_t ch) {
  std::vector<double> h;
  for (const bool cosine : {false, true}) {
    for (int64_t k = 0; k < ch / 2; ++k) {
      const double angle = t * std::pow(1e4, -static_cast<double>(k) / static_cast<double>(ch / 2 - 1));
      h.push_back(cosine ? std::cos(angle) : std::sin(angle));
    }
  }
  for (const char* layer : {"temb_dense.0", "temb_dense.2"}) {
    h = affine_map(state, layer, h);
    for (double& value : h) value /= 1 + std::exp(-value);
  }
  return h;
}

}  // namespace

TEST_CASE("the UNet has the original's number of parameters", "[models]") {
  const auto plain = make_score_network({.name = "unet", .sample_shape = {32, 32, 3}});
  CHECK(values(*plain) == 33'185'411);
  CHECK(values(*plain, "temb_dense.") == 328'704);
  const auto deeper =
      make_score_network({.name = "unet", .sample_shape = {256, 256, 3}, .multipliers = {1, 2, 2, 2, 4, 4}});
  CHECK(values(*deeper) == 111'547'267);
}

TEST_CASE("the UNet's levels, attention and width are as configured", "[models]") {
  ScoreNetworkConfig config{.name = "unet",
                            .sample_shape = {24, 16, 1},
                            .width = 12,
                            .multipliers = {1, 3, 2},
                            .attention_levels = {0, 2},
                            .groups = 3};
  const auto net = make_score_network(config);
  CHECK(find(*net, "downblocks.2.Q.weights").shape == Shape{12, 12});           // level 0
  CHECK(find(*net, "downblocks.6.conv0.weight").shape == Shape{36, 3, 3, 12});  // level 1, no attention
  CHECK(find(*net, "downblocks.7.conv0.weight").shape == Shape{36, 3, 3, 36});
  CHECK(find(*net, "downblocks.10.OUT.weights").shape == Shape{24, 24});  // level 2
  CHECK(find(*net, "out.weight").shape == Shape{1, 3, 3, 12});
}

TEST_CASE("the UNet starts as DDPM's, or as the original", "[models]") {
  ScoreNetworkConfig config = small();
  const auto bound = [&](const char* name) {
    const auto net = make_score_network(config);
    const Parameter& p = find(*net, name);
    return p.init.resolved(p.shape).b;
  };
  const auto glorot = [](double fan_sum, double scale) {
    return Approx(std::sqrt(6 * scale / fan_sum)).epsilon(1e-12);
  };
  CHECK(bound("downblocks.1.conv0.weight") == glorot(9 * 8, 1));
  CHECK(bound("downblocks.1.conv1.weight") == glorot(9 * 8, 1e-10));
  CHECK(bound("middleblocks.0.conv1.weight") == glorot(9 * 16, 1e-10));
  CHECK(bound("upblocks.0.nin.weights") == glorot(24, 1));
  CHECK(bound("middleblocks.1.OUT.weights") == glorot(16, 1e-10));
  CHECK(bound("out.weight") == glorot(9 * 6, 1e-10));
  CHECK(bound("temb_dense.2.weight") == glorot(32, 1));
  CHECK(bound("out.bias") == 0);
  config.init = "original";
  CHECK(bound("downblocks.1.conv1.weight") == glorot(9 * 8, 0.5));
  CHECK(bound("downblocks.1.conv1.bias") == 0);
  CHECK(bound("middleblocks.0.conv1.weight") == Approx(1 / std::sqrt(9 * 8.0)).epsilon(1e-12));  // PyTorch's own
  CHECK(bound("middleblocks.0.conv1.bias") == Approx(1 / std::sqrt(9 * 8.0)).epsilon(1e-12));
  CHECK(bound("upblocks.0.nin.weights") == glorot(24, 0.5));
  CHECK(bound("middleblocks.1.OUT.weights") == glorot(16, 0.5e-10));
  CHECK(bound("out.weight") == Approx(1 / std::sqrt(9 * 4.0)).epsilon(1e-12));
  CHECK(bound("temb_dense.0.weight") == glorot(20, 0.5));
  config.init = "zeros";
  CHECK_THROWS_WITH(make_score_network(config), Catch::Contains("'zeros' is not known; use ddpm or original"));
}

TEST_CASE("a level's index counts the levels between the ends, denser ones in fractions", "[models]") {
  const NoiseConfig geometric{.sigma_begin = 50, .sigma_end = 0.05, .levels = 31};
  CHECK(level_index(geometric, 50) == Approx(0).margin(1e-12));
  CHECK(level_index(geometric, 0.05) == Approx(30));
  CHECK(level_index(geometric, 50 * std::pow(1e-3, 7.5 / 30)) == Approx(7.5));
  const NoiseConfig linear{.sigma_begin = 5, .sigma_end = 1, .levels = 9, .spacing = Spacing::linear};
  CHECK(level_index(linear, 4) == Approx(2));
}

TEST_CASE("a conditional UNet adds the level's embedding where the formula says", "[models]") {
  ScoreNetworkConfig config = small();
  config.noise = {.sigma_begin = 10, .sigma_end = 0.1, .levels = 21};
  config.init = "original";  // lets every path through
  Ready plain(config);
  config.conditional = true;
  Ready conditional(config);
  const std::vector<double> sigma = {10, 0.7}, x = test::normals(2 * 8 * 4 * 2, 5);
  const std::vector<double> both = conditional(x, sigma);
  StateDict state = conditional.state();
  for (size_t n = 0; n < 2; ++n) {
    // An embedding added at every pixel is a bias of conv0.
    const double t = 20 * std::log(sigma[n] / 10) / std::log(0.01);
    const std::vector<double> level = embedding(state, t, 4);
    StateDict shifted = state;
    for (const auto& [name, value] : state) {
      if (!name.ends_with(".dense.weight")) continue;
      const std::string block = name.substr(0, name.size() - std::string(".dense.weight").size());
      std::vector<double> bias = state.at(block + ".conv0.bias").to_doubles();
      const std::vector<double> more = affine_map(state, block + ".dense", level);
      for (size_t i = 0; i < bias.size(); ++i) bias[i] += more[i];
      shifted[block + ".conv0.bias"] = HostTensor::from_doubles(bias, {static_cast<int64_t>(bias.size())}, DType::f64);
    }
    from_state_dict(plain.bench.ctx, plain.parameters, plain.parameters.flat(), shifted);
    const std::vector<double> expected = plain(
        {x.begin() + static_cast<std::ptrdiff_t>(n * 64), x.begin() + static_cast<std::ptrdiff_t>(n * 64 + 64)}, {1.0});
    const std::vector<double> here(both.begin() + static_cast<std::ptrdiff_t>(n * 64),
                                   both.begin() + static_cast<std::ptrdiff_t>(n * 64 + 64));
    CHECK(test::relative_error(here, expected) < 1e-12);
  }
}

TEST_CASE("a conditional UNet's gradients agree with central differences", "[models]") {
  ScoreNetworkConfig config = small();
  config.conditional = true;
  config.init = "original";
  Ready r(config);
  const std::vector<double> sigma = {3, 0.2}, x = test::normals(2 * 64, 5), w = test::normals(2 * 64, 6);
  const auto loss = [&] {
    const std::vector<double> out = r(x, sigma);
    double sum = 0;
    for (size_t i = 0; i < out.size(); ++i) sum += w[i] * out[i];
    return sum;
  };
  Ctx ctx = r.bench.ctx;
  const Tensor gradients = r.parameters.allocate_like(ctx, MemoryKind::gradients);
  Tape tape;
  ctx.tape = &tape;
  r.parameters.watch(tape, gradients);
  const Tensor out =
      r.net->forward(ctx, ctx.from_host(x, {2, 8, 4, 2}, DType::f64), ctx.from_host(sigma, {2}, DType::f64));
  tape.backward(ctx, out, ctx.from_host(w, out.shape(), DType::f64));
  const StateDict gradient = to_state_dict(r.bench.stream, r.parameters, gradients);
  for (const char* name :
       {"temb_dense.0.weight", "temb_dense.2.bias", "downblocks.1.dense.weight", "middleblocks.0.conv0.weight",
        "upblocks.1.OUT.weights", "upblocks.3.Q.weights", "middleblocks.1.V.weights", "middleblocks.1.V.bias"}) {
    CAPTURE(name);
    StateDict state = r.state();
    const HostTensor whole = state.at(name);
    std::vector<double> values = whole.to_doubles();
    const size_t at = values.size() / 2;
    double slope = 0;
    constexpr double kStep = 1e-5;
    for (const double side : {1.0, -1.0}) {
      std::vector<double> moved = values;
      moved[at] += side * kStep;
      state[name] = HostTensor::from_doubles(moved, whole.shape, DType::f64);
      from_state_dict(r.bench.ctx, r.parameters, r.parameters.flat(), state);
      slope += side * loss() / (2 * kStep);
    }
    state[name] = whole;
    from_state_dict(r.bench.ctx, r.parameters, r.parameters.flat(), state);
    CHECK(gradient.at(name).to_doubles()[at] == Approx(slope).epsilon(1e-6).margin(1e-9));
  }
}

TEST_CASE("dropout works in training alone, and is drawn from the context's key", "[models]") {
  ScoreNetworkConfig config = small();
  config.init = "original";
  Ready plain(config);
  config.dropout = 0.5;
  Ready dropping(config);
  const std::vector<double> x = test::normals(64, 5);
  CHECK(dropping(x, {1}) == plain(x, {1}));
  Ctx& ctx = dropping.bench.ctx;
  ctx.training = true;
  ctx.random = {.seed = 3, .stream = id(RandomStream::dropout), .step = 1};
  const std::vector<double> first = dropping(x, {1});
  CHECK(first != plain(x, {1}));
  CHECK(dropping(x, {1}) == first);
  ctx.random.step = 2;
  CHECK(dropping(x, {1}) != first);
}

TEST_CASE("what a UNet does not have is an error", "[models]") {
  const auto refused = [](auto change) {
    ScoreNetworkConfig config = small();
    change(config);
    CHECK_THROWS_AS(make_score_network(config), ConfigError);
  };
  refused([](auto& c) { c.sample_shape = {8, 3, 1}; });
  refused([](auto& c) { c.sample_shape = {2}; });
  refused([](auto& c) { c.multipliers = {}; });
  refused([](auto& c) { c.multipliers = {1, 0}; });
  refused([](auto& c) { c.attention_levels = {2}; });
  refused([](auto& c) { c.groups = 3; });
  refused([](auto& c) { c.groups = 0; });
  refused([](auto& c) { c.dropout = 1; });
  refused([](auto& c) { c.norm = "batch_norm"; });
  refused([](auto& c) { c.activation = Activation::elu; });
  refused([](auto& c) { c.standardize = true; });
  ScoreNetworkConfig config = small();
  config.conditional = true;
  Ready r(config);
  Ctx& ctx = r.bench.ctx;
  CHECK_THROWS_AS(r.net->forward(ctx, ctx.from_host(test::normals(64, 1), {1, 8, 4, 2}, DType::f64), {}), ShapeError);
}
