#pragma once

#include "engine/nn/layers.hpp"
#include "models/critic.hpp"
#include "models/score_network.hpp"

#include <vector>

namespace ascore {

/// Four linear layers with an activation between: [N,in] -> [N,out]. The layers are named as in a PyTorch Sequential
/// that counts the activations too: "0", "2", "4", "6".
class LinearStack final : public Module {
 public:
  LinearStack(int64_t in, int64_t width, int64_t out, Nonlinearity act);
  /// The first and the last layer work in x's dtype, those between in ctx.compute.
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Nonlinearity act_;
  std::vector<Module*> layers_;
};

/// Score network of point data (and of anything small, flattened): LinearStack "net". Conditional: sigma is one more
/// input.
class MlpScore final : public ScoreNetwork {
 public:
  /// Throws ConfigError for options that the network does not have.
  explicit MlpScore(const ScoreNetworkConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const override;

 private:
  bool conditional_;
  Module* net_;
};

/// Critic of point data: the unconditional score network's layers with one output.
class MlpCritic final : public Critic {
 public:
  explicit MlpCritic(const CriticConfig& config);
  Tensor forward(Ctx& ctx, const Tensor& x) const override;

 private:
  Module* net_;
};

}  // namespace ascore
