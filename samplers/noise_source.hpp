#pragma once

#include "engine/autograd/context.hpp"
#include "kernels/core/step_scalars.hpp"

#include <cstdint>
#include <functional>
#include <optional>

namespace ascore {

/// Where a sampler's noise comes from. It performs the update itself, x += a d + b z, so that noise can be drawn inside
/// the kernel that adds it.
class NoiseSource {
 public:
  /// x += a d + b z for draw number `draw` of the run; coefficients = {a, b}, f64 [2]; d may be absent; with b = 0
  /// there is no noise.
  using Update = std::function<void(Ctx&, const Tensor& x, const Tensor& d, const Tensor& coefficients, uint32_t draw)>;

  /// Philox: row n belongs to sample key.first_sample + n, draw k to step key.step + k. Implicit: a key is a source.
  NoiseSource(const NoiseKey& key);
  /// The key that the source is; none for any other source.
  const std::optional<NoiseKey>& key() const { return key_; }
  /// Any other source: recorded noise, mixtures of two seeds.
  explicit NoiseSource(Update update) : update_(std::move(update)) {}

  void update(Ctx& ctx, const Tensor& x, const Tensor& d, double a, double b, uint32_t draw) const {
    update_(ctx, x, d, ctx.scalars({a, b}), draw);
  }

 private:
  std::optional<NoiseKey> key_;
  Update update_;
};

}  // namespace ascore
