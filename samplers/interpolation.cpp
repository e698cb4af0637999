#include "samplers/interpolation.hpp"

#include "engine/autograd/master_type.hpp"
#include "kernels/langevin/langevin.hpp"
#include "kernels/random_fill/random_fill.hpp"
#include "kernels/scaled_add/scaled_add.hpp"
#include "samplers/initial_state.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>
#include <vector>

namespace ascore {

namespace {

NoiseKey other_key(const NoiseKey& key, const SeedMix& mix) {
  NoiseKey other = key;
  other.seed = mix.other;
  return other;
}

/// The key of the only seed that draws: at the ends there is one, between there is none.
std::optional<NoiseKey> only_key(const NoiseKey& key, const SeedMix& mix) {
  if (mix.t <= 0) return key;
  if (mix.t >= 1) return other_key(key, mix);
  return std::nullopt;
}

/// How much of either seed's normal.
struct Weights {
  double own, other;
};
Weights weights(const SeedMix& mix) {
  const double angle = mix.t * std::numbers::pi / 2;
  return {std::cos(angle), std::sin(angle)};
}

/// sd times the mixed normals, of a shape and dtype.
Tensor mixed_normals(Ctx& ctx, const Shape& shape, DType dtype, double sd, const NoiseKey& key, const SeedMix& mix) {
  Tensor z = ctx.empty(shape, dtype), other = ctx.empty(shape, dtype);
  kernels::random_normal(ctx.stream, key, 0.0, 1.0, z);
  kernels::random_normal(ctx.stream, other_key(key, mix), 0.0, 1.0, other);
  const auto [a, b] = weights(mix);
  kernels::scaled_add(ctx.stream, sd * a, z, sd * b, other, z);
  return z;
}

/// The normal whose share is u. A draw of 1 is one above 1 - 2^-25 that was rounded: no normal has all below it.
double normal_of(double u) {
  return normal_quantile(std::min(u, 1 - 0x1p-25));
}

}  // namespace

double normal_share(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double normal_quantile(double p) {
  const double lower = std::min(p, 1 - p);  // mirrored: below 1/2, where Phi is convex
  // Phi(-x) <= exp(-x^2/2) / 2, so the root is not left of this; Newton's first step leads past it, and each further
  // one closer from the right.
  double x = -std::sqrt(-2 * std::log(2 * lower));
  for (int i = 0; i < 100; ++i) {
    const double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    const double step = (normal_share(x) - lower) / density;
    x -= step;
    if (std::abs(step) < 1e-14 * (1 + std::abs(x))) break;
  }
  return p < 0.5 ? x : -x;
}

NoiseSource mixed_noise(const NoiseKey& key, const SeedMix& mix) {
  if (const auto only = only_key(key, mix)) return *only;
  return NoiseSource([key, mix](Ctx& ctx, const Tensor& x, const Tensor& d, const Tensor& coefficients, uint32_t draw) {
    const Tensor z = mixed_normals(ctx, x.shape(), x.dtype(), 1.0, key.at_step(key.step + draw), mix);
    kernels::langevin_step_given(ctx.stream, x.view(), d, coefficients, z);
  });
}

Tensor mixed_uniform_start(Ctx& ctx, const Shape& shape, double low, double high, const NoiseKey& key,
                           const SeedMix& mix) {
  if (const auto only = only_key(key, mix)) return uniform_start(ctx, shape, low, high, *only);
  std::vector<double> values = ctx.to_host(uniform_start(ctx, shape, 0, 1, key));
  const std::vector<double> others = ctx.to_host(uniform_start(ctx, shape, 0, 1, other_key(key, mix)));
  const auto [a, b] = weights(mix);
  for (size_t i = 0; i < values.size(); ++i) {
    const double share = normal_share(a * normal_of(values[i]) + b * normal_of(others[i]));
    values[i] = low + (high - low) * share;
  }
  return ctx.from_host(values, shape, master_type(ctx));
}

Tensor mixed_prior_start(Ctx& ctx, const Shape& shape, double sigma, const NoiseKey& key, const SeedMix& mix) {
  if (const auto only = only_key(key, mix)) return prior_start(ctx, shape, sigma, *only);
  return mixed_normals(ctx, shape, master_type(ctx), sigma, key, mix);
}

Tensor mixed_data_start(Ctx& ctx, const Tensor& data, double sigma, const NoiseKey& key, const SeedMix& mix) {
  if (const auto only = only_key(key, mix)) return data_start(ctx, data, sigma, *only);
  Tensor x = mixed_normals(ctx, data.shape(), data.dtype(), sigma, key, mix);
  kernels::scaled_add(ctx.stream, 1.0, data, 1.0, x, x);
  return x;
}

}  // namespace ascore
