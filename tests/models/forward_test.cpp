#include "engine/nn/parameters.hpp"
#include "kernels/core/memory.hpp"
#include "models/ncsn_style.hpp"
#include "models/registry.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/compare.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <cmath>
#include <string>

using namespace ascore;

namespace {
/// A network with drawn parameters on the cpu.
template <class Network>
struct Ready {
  test::Bench bench;
  std::unique_ptr<Network> net;
  ParameterSet parameters;
  Ready(std::unique_ptr<Network> made, DType dtype, DType compute)
      : bench(Device::cpu, compute), net(std::move(made)), parameters(bench.ctx, *net, dtype) {
    parameters.initialise(bench.ctx, 3);
  }
};
using ReadyScore = Ready<ScoreNetwork>;

ReadyScore score(const ScoreNetworkConfig& config, DType dtype = DType::f32, DType compute = DType::f32) {
  return {make_score_network(config), dtype, compute};
}

/// The MLP by plain loops.
std::vector<double> naive_mlp(const ReadyScore& r, std::vector<double> x, int64_t rows) {
  for (int layer = 0; layer < 4; ++layer) {
    const Tensor w = r.parameters.find(std::to_string(2 * layer).insert(0, "net.") + ".weight")->value;
    const auto weight = r.bench.ctx.to_host(w);
    const auto bias = r.bench.ctx.to_host(r.parameters.find("net." + std::to_string(2 * layer) + ".bias")->value);
    const int64_t in = w.dim(1), out = w.dim(0);
    std::vector<double> y;
    for (int64_t n = 0; n < rows; ++n) {
      for (int64_t o = 0; o < out; ++o) {
        double sum = bias[static_cast<size_t>(o)];
        for (int64_t i = 0; i < in; ++i) {
          sum += weight[static_cast<size_t>(o * in + i)] * x[static_cast<size_t>(n * in + i)];
        }
        y.push_back(layer < 3 && sum < 0 ? 0.01 * sum : sum);
      }
    }
    x = y;
  }
  return x;
}
}  // namespace

TEST_CASE("the conditional MLP is four linear layers of x and sigma", "[models]") {
  const auto r = score({.name = "mlp", .sample_shape = {2}, .width = 9, .conditional = true}, DType::f64, DType::f64);
  Ctx ctx = r.bench.ctx;
  const std::vector<double> x = {0.5, -1, 2, 0.25, -0.75, 3}, sigma = {4, 0.01, 1};
  const Tensor out = r.net->forward(ctx, ctx.from_host(x, {3, 2}, DType::f64), ctx.from_host(sigma, {3}, DType::f64));
  const std::vector<double> joined = {0.5, -1, 4, 2, 0.25, 0.01, -0.75, 3, 1};
  CHECK(out.shape() == Shape{3, 2});
  CHECK(test::relative_error(ctx.to_host(out), naive_mlp(r, joined, 3)) < 1e-12);
}

TEST_CASE("the unconditional MLP ignores sigma, and takes images flattened", "[models]") {
  const auto r = score({.name = "mlp", .sample_shape = {2, 2, 1}, .width = 9}, DType::f64, DType::f64);
  Ctx ctx = r.bench.ctx;
  const std::vector<double> x = {0.5, -1, 2, 0.25, -0.75, 3, 1, -2};
  const Tensor out = r.net->forward(ctx, ctx.from_host(x, {2, 2, 2, 1}, DType::f64), {});
  CHECK(out.shape() == Shape{2, 2, 2, 1});
  CHECK(test::relative_error(ctx.to_host(out), naive_mlp(r, x, 2)) < 1e-12);
}

TEST_CASE("an image's score depends neither on its batch nor on the number of threads", "[models]") {
  const auto [name, dilation, height, width] =
      GENERATE(table<const char*, bool, int64_t, int64_t>({{"ncsnv2", true, 8, 16},
                                                           {"ncsnv2", false, 8, 16},
                                                           {"ncsnv2", false, 12, 28},
                                                           {"ncsnv2_deeper", true, 8, 12},
                                                           {"ncsnv2_deepest", false, 32, 64},
                                                           {"unet", true, 16, 8}}));
  CAPTURE(name, dilation);
  const auto r =
      score({.name = name, .sample_shape = {height, width, 1}, .width = 4, .dilation = dilation, .groups = 2});
  Ctx ctx = r.bench.ctx;
  const Tensor x = r.bench.normal({5, height, width, 1}, DType::f32, 11);
  const Tensor all = r.net->forward(ctx, x, {});
  CHECK(all.shape() == x.shape());
  Stream other(Device::cpu, {.threads = r.bench.stream.threads() == 1 ? 2 : 1});
  Ctx elsewhere{other, *r.bench.allocator};
  for (int64_t n = 0; n < 5; ++n) {
    CAPTURE(n);
    const Tensor one = r.net->forward(elsewhere, x.rows(n, n + 1), {});
    CHECK(ctx.to_host(one) == ctx.to_host(all.rows(n, n + 1)));
  }
}

TEST_CASE("the score networks' options do what they say", "[models]") {
  const Shape shape{2, 8, 8, 2};
  const auto plain = score({.sample_shape = {8, 8, 2}, .width = 4}, DType::f64, DType::f64);
  const auto unshifted = score({.sample_shape = {8, 8, 2}, .width = 4, .shift_input = false}, DType::f64, DType::f64);
  const auto dae = score({.sample_shape = {8, 8, 2}, .width = 4, .dae = true}, DType::f64, DType::f64);
  Ctx ctx = plain.bench.ctx;
  const Tensor x = plain.bench.normal(shape, DType::f64, 5);
  const auto out = ctx.to_host(plain.net->forward(ctx, x, {}));
  SECTION("shift_input: 2x - 1 goes in") {
    std::vector<double> shifted = ctx.to_host(x);
    for (double& value : shifted) value = 2 * value - 1;
    CHECK(test::relative_error(ctx.to_host(unshifted.net->forward(ctx, ctx.from_host(shifted, shape, DType::f64), {})),
                               out) < 1e-12);
  }
  SECTION("dae: sigmoid(2 out) comes out") {
    std::vector<double> expected = out;
    for (double& value : expected) value = 1 / (1 + std::exp(-2 * value));
    CHECK(test::relative_error(ctx.to_host(dae.net->forward(ctx, x, {})), expected) < 1e-12);
  }
  SECTION("spectral_norm: every weight is divided by u W v") {
    const auto spectral = score({.sample_shape = {8, 8, 2}, .width = 4, .spectral_norm = true}, DType::f64, DType::f64);
    size_t divided = 0;
    for (const Parameter* p : spectral.parameters.parameters()) {
      constexpr std::string_view suffix = "_orig";
      std::string name = p->name;
      std::vector<double> values = ctx.to_host(p->value);
      if (name.ends_with(suffix)) {
        name.resize(name.size() - suffix.size());
        const auto u = ctx.to_host(spectral.parameters.find(name + "_u")->value);
        const auto v = ctx.to_host(spectral.parameters.find(name + "_v")->value);
        double sigma = 0;
        for (size_t i = 0; i < values.size(); ++i) sigma += u[i / v.size()] * values[i] * v[i % v.size()];
        for (double& value : values) value /= sigma;
        ++divided;
      }
      const Parameter* mine = plain.parameters.find(name);
      REQUIRE(mine);
      copy(ctx.stream, mine->value.view(), ctx.from_host(values, mine->shape, DType::f64));
    }
    const auto is_conv = [](const Parameter* p) { return p->shape.rank() == 4; };
    CHECK(divided == static_cast<size_t>(std::ranges::count_if(plain.parameters.parameters(), is_conv)));
    const auto expected = ctx.to_host(plain.net->forward(ctx, x, {}));
    CHECK(test::relative_error(ctx.to_host(spectral.net->forward(ctx, x, {})), expected) < 1e-12);
  }
  SECTION("standardize: the output over its variance comes out") {
    const auto standardized =
        score({.sample_shape = {8, 8, 2}, .width = 4, .standardize = true}, DType::f64, DType::f64);
    double mean = 0, variance = 0;
    for (const double value : out) mean += value / static_cast<double>(out.size());
    for (const double value : out) variance += (value - mean) * (value - mean) / static_cast<double>(out.size() - 1);
    std::vector<double> expected = out;
    for (double& value : expected) value /= variance + 1e-10;
    CHECK(test::relative_error(ctx.to_host(standardized.net->forward(ctx, x, {})), expected) < 1e-12);
  }
}

TEST_CASE("NCSNv2's normalisations forget scale and shift of an image as they should", "[models]") {
  const auto [norm, forgets_scale, forgets_shift] =
      GENERATE(table<const char*, bool, bool>({{"instance_norm_plus", true, true},
                                               {"instance_norm", true, true},
                                               {"batch_norm", true, true},
                                               {"variance_norm", true, false},
                                               {"none", false, false}}));
  CAPTURE(norm);
  struct : Module {
  } holder;
  const Module* normalize = add_norm(holder, {.act = {}, .norm = norm}, "norm", 3);
  test::Bench bench(Device::cpu, DType::f64);
  ParameterSet parameters(bench.ctx, holder, DType::f64);
  parameters.initialise(bench.ctx, 3);
  Ctx ctx = bench.ctx;
  ctx.training = true;  // batch_norm: by the batch's own statistics
  const Tensor x = bench.normal({2, 6, 5, 3}, DType::f64, 5);
  const auto out = ctx.to_host(normalize->forward(ctx, x));
  const auto distance = [&](double factor, double shift) {
    return test::relative_error(ctx.to_host(normalize->forward(ctx, affine(ctx, x, factor, shift))), out);
  };
  CHECK((distance(5, 0) < 1e-4) == forgets_scale);
  CHECK((distance(1, 2) < 1e-4) == forgets_shift);
  if (std::string(norm) == "none") CHECK(out == ctx.to_host(x));
}

TEST_CASE("the last norm of an NCSNv2 may have an eps of its own", "[models]") {
  const std::string norm = GENERATE("instance_norm", "batch_norm");
  CAPTURE(norm);
  ScoreNetworkConfig config{.sample_shape = {8, 8, 2}, .width = 4, .norm = norm};
  const auto output = [&](std::optional<double> eps) {
    config.last_norm_eps = eps;
    const auto ready = score(config, DType::f64, DType::f64);
    Ctx ctx = ready.bench.ctx;
    ctx.training = true;
    const auto bias = ctx.to_host(ready.parameters.find("end_conv.bias")->value);
    auto out = ctx.to_host(ready.net->forward(ctx, ready.bench.normal({2, 8, 8, 2}, DType::f64, 5), {}));
    for (size_t i = 0; i < out.size(); ++i) out[i] -= bias[i % 2];
    return out;
  };
  const auto usual = output({});
  CHECK(output(1e-5) == usual);
  // elu is linear about 0, where a large eps E brings what is normalised: it shrinks as 1 / sqrt(E).
  auto small = output(1e16);
  const auto smaller = output(1e18);
  for (double& value : small) value /= 10;
  CHECK(test::relative_error(smaller, small) < 1e-6);
  CHECK(*std::ranges::max_element(smaller) > 0);
  CHECK(*std::ranges::max_element(smaller) < 1e-6 * *std::ranges::max_element(usual));
}

TEST_CASE("bf16 activations stay near f32 and never meet the image", "[models]") {
  const auto r = score({.sample_shape = {8, 8, 1}, .width = 8});
  Ctx ctx = r.bench.ctx, half = r.bench.ctx;
  half.compute = DType::bf16;
  const Tensor x = r.bench.normal({2, 8, 8, 1}, DType::f32, 5);
  const Tensor reference = r.net->forward(ctx, x, {}), rough = r.net->forward(half, x, {});
  CHECK(rough.dtype() == DType::f32);
  const double error = test::relative_error(ctx.to_host(rough), ctx.to_host(reference));
  CHECK(error > 1e-6);  // bf16 was used
  CHECK(error < 0.1);
}

TEST_CASE("critics give one number per sample, in training and evaluation, for every size", "[models]") {
  const int64_t size = GENERATE(8, 16, 28, 64);
  CAPTURE(size);
  Ready<Critic> r(make_critic({.name = "biggan", .sample_shape = {size, size, 3}, .width = 1}), DType::f32, DType::f32);
  Ctx ctx = r.bench.ctx;
  const Tensor x = r.bench.normal({2, size, size, 3}, DType::f32, 5);
  const auto u = ctx.to_host(r.parameters.buffers()[0]->value);
  const auto first = ctx.to_host(r.net->forward(ctx, x));
  CHECK(first.size() == 2);
  CHECK(ctx.to_host(r.net->forward(ctx, x)) == first);
  CHECK(ctx.to_host(r.parameters.buffers()[0]->value) == u);
  ctx.training = true;
  CHECK(ctx.to_host(r.net->forward(ctx, x)) == first);
  CHECK(ctx.to_host(r.parameters.buffers()[0]->value) != u);
}

TEST_CASE("the MLP critic gives one number per point", "[models]") {
  Ready<Critic> r(make_critic({.name = "mlp", .sample_shape = {2}, .width = 6}), DType::f32, DType::f32);
  Ctx ctx = r.bench.ctx;
  CHECK(r.net->forward(ctx, r.bench.normal({7, 2}, DType::f32, 5)).shape() == Shape{7});
}
