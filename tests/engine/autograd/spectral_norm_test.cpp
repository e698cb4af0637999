#include "engine/autograd/normalization.hpp"
#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/core/memory.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/devices.hpp"
#include "tests/support/gradients.hpp"

#include <numeric>

using namespace ascore;

namespace {

const Shape kShape{4, 3, 3, 2};

/// sigma = u' W v^T for vectors that are held: what the gradient is defined by.
double singular_value(const std::vector<double>& w, const std::vector<double>& u, const std::vector<double>& v) {
  double sigma = 0;
  for (size_t i = 0; i < w.size(); ++i) sigma += u[i / v.size()] * w[i] * v[i % v.size()];
  return sigma;
}

}  // namespace

TEST_CASE("the gradient of spectral_normalize is that of W / (u W v) with u and v held") {
  test::Bench bench(Device::cpu, DType::f64);
  const auto w = test::normals(72, 1), u0 = test::normals(4, 2), weights = test::normals(72, 3);
  // The vectors of one iteration, by plain loops.
  std::vector<double> u = u0, v(18);
  const auto normalize = [](std::vector<double>& a) {
    const double norm = std::sqrt(std::inner_product(a.begin(), a.end(), a.begin(), 0.0));
    for (double& value : a) value /= norm;
  };
  for (size_t i = 0; i < 72; ++i) v[i % 18] += u0[i / 18] * w[i];
  normalize(v);
  std::fill(u.begin(), u.end(), 0.0);
  for (size_t i = 0; i < 72; ++i) u[i / 18] += w[i] * v[i % 18];
  normalize(u);

  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  ctx.training = true;
  const Tensor weight = ctx.from_host(w, kShape, DType::f64);
  SpectralNorm state{ctx.from_host(u0, {1, 4}, DType::f64), ctx.zeros({1}, DType::f64)};
  tape.watch(weight);
  const Tensor y = spectral_normalize(ctx, weight, state);
  tape.backward(ctx, y, ctx.from_host(weights, kShape, DType::f64));
  const auto gradient = ctx.to_host(tape.gradient(weight));

  const auto value = [&](const std::vector<double>& at) {
    return std::inner_product(at.begin(), at.end(), weights.begin(), 0.0) / singular_value(at, u, v);
  };
  for (size_t i = 0; i < w.size(); ++i) {
    auto up = w, down = w;
    up[i] += 1e-6, down[i] -= 1e-6;
    CHECK(gradient[i] == Approx((value(up) - value(down)) / 2e-6).epsilon(1e-6).margin(1e-8));
  }
  const auto advanced = ctx.to_host(state.u);
  for (size_t o = 0; o < 4; ++o) CHECK(advanced[o] == Approx(u[o]));
  CHECK(ctx.to_host(state.sv)[0] == Approx(singular_value(w, u, v)));
}

TEST_CASE("spectral_normalize leaves its vectors alone in evaluation, and converges in training") {
  test::Bench bench(Device::cpu);
  const Tensor weight = bench.normal({6, 5}, DType::f32, 1);
  SpectralNorm state{bench.normal({1, 6}, DType::f32, 2), bench.ctx.zeros({1}, DType::f32)};
  const auto before = bench.ctx.to_host(state.u);
  Ctx ctx = bench.ctx;
  const auto first = ctx.to_host(spectral_normalize(ctx, weight, state));
  CHECK(ctx.to_host(state.u) == before);
  CHECK(ctx.to_host(state.sv)[0] == 0);
  CHECK(ctx.to_host(spectral_normalize(ctx, weight, state)) == first);
  ctx.training = true;
  for (int i = 0; i < 200; ++i) spectral_normalize(ctx, weight, state);
  const double sigma = ctx.to_host(state.sv)[0];
  spectral_normalize(ctx, weight, state);
  CHECK(ctx.to_host(state.sv)[0] == Approx(sigma).epsilon(1e-6));
  double squares = 0;
  for (double value : ctx.to_host(weight)) squares += value * value;
  CHECK(sigma < std::sqrt(squares));
  CHECK(sigma > std::sqrt(squares / 5));
}

TEST_CASE("PyTorch's spectral norm has the gradient of W / (u W v), u and v held, in training and in evaluation") {
  const bool training = GENERATE(false, true);
  test::Bench bench(Device::cpu, DType::f64);
  const auto w = test::normals(72, 1), weights = test::normals(72, 3);
  Tape tape;
  Ctx ctx = bench.ctx;
  ctx.tape = &tape;
  ctx.training = training;
  const Tensor weight = ctx.from_host(w, kShape, DType::f64);
  SpectralVectors state{ctx.from_host(test::normals(4, 2), {4}, DType::f64),
                        ctx.from_host(test::normals(18, 4), {3, 3, 2}, DType::f64)};
  const auto u0 = ctx.to_host(state.u), v0 = ctx.to_host(state.v);
  tape.watch(weight);
  const Tensor y = spectral_normalize(ctx, weight, state);
  const auto u = ctx.to_host(state.u), v = ctx.to_host(state.v);
  if (training) spectral_normalize(ctx, weight, state);  // a later forward does not disturb this one's gradient
  tape.backward(ctx, y, ctx.from_host(weights, kShape, DType::f64));
  const auto gradient = ctx.to_host(tape.gradient(weight));
  if (training) {
    const auto size = [](const std::vector<double>& a) {
      return std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
    };
    CHECK(size(u) == Approx(1));
    CHECK(size(v) == Approx(1));
    // v from the old u, then u from the new v: sigma = |W v|.
    std::vector<double> from_u(18), from_v(4);
    for (size_t i = 0; i < 72; ++i) from_u[i % 18] += u0[i / 18] * w[i], from_v[i / 18] += w[i] * v[i % 18];
    for (size_t i = 0; i < 18; ++i) CHECK(v[i] == Approx(from_u[i] / std::sqrt(size(from_u))));
    for (size_t i = 0; i < 4; ++i) CHECK(u[i] == Approx(from_v[i] / std::sqrt(size(from_v))));
  } else {
    CHECK(u == u0);
    CHECK(v == v0);
  }
  CHECK(ctx.to_host(y)[5] == Approx(w[5] / singular_value(w, u, v)));
  const auto value = [&](const std::vector<double>& at) {
    return std::inner_product(at.begin(), at.end(), weights.begin(), 0.0) / singular_value(at, u, v);
  };
  for (size_t i = 0; i < w.size(); ++i) {
    auto up = w, down = w;
    up[i] += 1e-6, down[i] -= 1e-6;
    CHECK(gradient[i] == Approx((value(up) - value(down)) / 2e-6).epsilon(1e-6).margin(1e-8));
  }
}
