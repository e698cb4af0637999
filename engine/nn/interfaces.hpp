#pragma once

#include "engine/nn/module.hpp"

namespace ascore {

/// A network s(x, sigma) that estimates sigma times the score of the data blurred by N(0, sigma^2) (for target `dae`:
/// the clean data). What training and sampling know of a model.
class ScoreNetwork : public Module {
 public:
  using Module::forward;
  /// x [N,H,W,C] or [N,D], f32 or f64; sigma [N] of x's dtype (unconditional networks ignore it; they also take an
  /// absent one). Returns s of x's shape and dtype. Activations inside are ctx.compute.
  virtual Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const = 0;
};

/// A network that tells data from samples: x [N,H,W,C] or [N,D], f32 or f64 -> [N] of the same dtype, no sigmoid.
class Critic : public Module {
 public:
  Tensor forward(Ctx& ctx, const Tensor& x) const override = 0;
};

}  // namespace ascore
