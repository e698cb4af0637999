#include "engine/nn/normalization_layers.hpp"

#include "engine/autograd/joined.hpp"
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

Tensor GroupNorm::normalized(Ctx& ctx, const Measured& x) const {
  const ModuleScope scope(ctx, *this);
  return group_norm(ctx, x, weight_->value, bias_->value, groups_, eps_, activation_);
}

Tensor GroupNorm::forward(Ctx& ctx, const Tensor& a, const Tensor& b) const {
  const ModuleScope scope(ctx, *this);
  return joined_group_norm(ctx, a, b, weight_->value, bias_->value, groups_, eps_, activation_);
}

Tensor InstanceNorm::normalized(Ctx& ctx, const Measured& x) const {
  const ModuleScope scope(ctx, *this);
  return instance_norm(ctx, x, eps_);
}

VarianceNorm::VarianceNorm(int64_t channels) : alpha_(parameter("alpha", {channels}, Init::normal(1, 0.02))) {}

Tensor VarianceNorm::normalized(Ctx& ctx, const Measured& x) const {
  const ModuleScope scope(ctx, *this);
  return variance_norm(ctx, x, alpha_->value);
}

BatchNorm::BatchNorm(int64_t channels, const Init& weight, double eps)
    : eps_(eps),
      weight_(parameter("weight", {channels}, weight)),
      bias_(parameter("bias", {channels}, Init::zeros())),
      mean_(buffer("running_mean", {channels}, Init::zeros())),
      variance_(buffer("running_var", {channels}, Init::constant(1))),
      batches_(buffer("num_batches_tracked", {}, Init::zeros())) {
  set_mixes_samples();
}

Tensor BatchNorm::normalized(Ctx& ctx, const Measured& x) const {
  const ModuleScope scope(ctx, *this);
  RunningStatistics running{mean_->value, variance_->value, batches_->value};
  return batch_norm(ctx, x, weight_->value, bias_->value, running, eps_);
}

}  // namespace ascore
