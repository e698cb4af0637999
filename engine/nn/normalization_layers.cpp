#include "engine/nn/normalization_layers.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

GroupNorm::GroupNorm(int64_t channels, int64_t groups, double eps, Activation activation)
    : groups_(groups),
      eps_(eps),
      activation_(activation),
      weight_(parameter("weight", {channels}, Init::constant(1))),
      bias_(parameter("bias", {channels}, Init::zeros())) {
  if (groups < 1 || channels % groups != 0) {
    throw ConfigError(fmt::format("group norm: {} channels cannot be {} equal groups", channels, groups));
  }
}

Tensor GroupNorm::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  return group_norm(ctx, x, weight_->value, bias_->value, groups_, eps_, activation_);
}

}  // namespace ascore
