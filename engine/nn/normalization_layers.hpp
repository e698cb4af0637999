#pragma once

#include "engine/autograd/normalization.hpp"
#include "engine/nn/normalization.hpp"

#include <cstdint>

namespace ascore {

/// Group normalization and, fused, an activation (identity or silu): parameters weight = 1, bias = 0, both [channels].
/// Throws ConfigError unless `channels` is a multiple of `groups`.
class GroupNorm : public Normalization {
 public:
  GroupNorm(int64_t channels, int64_t groups, double eps, Activation activation = Activation::identity);
  using Normalization::normalized;
  Tensor normalized(Ctx& ctx, const Measured& x) const override;
  using Normalization::forward;
  /// Of a and b joined along their channels.
  Tensor forward(Ctx& ctx, const Tensor& a, const Tensor& b) const;

 private:
  int64_t groups_;
  double eps_;
  Activation activation_;
  Parameter *weight_, *bias_;
};

/// Instance normalization without parameters.
class InstanceNorm : public Normalization {
 public:
  explicit InstanceNorm(double eps = 1e-5) : eps_(eps) {}
  using Normalization::normalized;
  Tensor normalized(Ctx& ctx, const Measured& x) const override;

 private:
  double eps_;
};

/// alpha x / sqrt(unbiased variance over the pixels + 1e-5): parameter alpha ~ N(1, 0.02), [channels].
class VarianceNorm : public Normalization {
 public:
  explicit VarianceNorm(int64_t channels);
  using Normalization::normalized;
  Tensor normalized(Ctx& ctx, const Measured& x) const override;

 private:
  Parameter* alpha_;
};

/// Batch normalization as PyTorch's BatchNorm2d: parameters weight (1, unless told otherwise) and bias = 0, buffers
/// running_mean = 0, running_var = 1, num_batches_tracked = 0, which advance in every forward in training.
class BatchNorm : public Normalization {
 public:
  explicit BatchNorm(int64_t channels, const Init& weight = Init::constant(1), double eps = 1e-5);
  using Normalization::normalized;
  Tensor normalized(Ctx& ctx, const Measured& x) const override;
  /// In evaluation the running statistics serve.
  bool measures(const Ctx& ctx) const override { return ctx.training && Normalization::measures(ctx); }

 private:
  double eps_;
  Parameter *weight_, *bias_, *mean_, *variance_, *batches_;
};

}  // namespace ascore
