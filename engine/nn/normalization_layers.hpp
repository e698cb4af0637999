#pragma once

#include "engine/autograd/normalization.hpp"
#include "engine/nn/module.hpp"

#include <cstdint>

namespace ascore {

/// Group normalization and, fused, an activation (identity or silu): parameters weight = 1, bias = 0, both [channels].
/// Throws ConfigError unless `channels` is a multiple of `groups`.
class GroupNorm : public Module {
 public:
  GroupNorm(int64_t channels, int64_t groups, double eps, Activation activation = Activation::identity);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  int64_t groups_;
  double eps_;
  Activation activation_;
  Parameter *weight_, *bias_;
};

}  // namespace ascore
