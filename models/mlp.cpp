#include "models/mlp.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kDefaultWidth = 512;
constexpr double kLeakySlope = 0.01;
constexpr int kLayers = 4;

template <class Config>
Nonlinearity nonlinearity(const Config& config) {
  return {config.activation.value_or(Activation::leaky_relu), config.slope.value_or(kLeakySlope)};
}

int64_t width(int64_t configured) {
  if (configured < 0) throw ConfigError(fmt::format("mlp: width {} is negative", configured));
  return configured ? configured : kDefaultWidth;
}

Tensor flattened(Ctx& ctx, const Tensor& x) {
  return x.rank() == 2 ? x : reshape(ctx, x, {x.dim(0), x.count() / std::max<int64_t>(x.dim(0), 1)});
}
}  // namespace

LinearStack::LinearStack(int64_t in, int64_t width, int64_t out, Nonlinearity act) : act_(act) {
  for (int i = 0; i < kLayers; ++i) {
    layers_.push_back(add<Linear>(std::to_string(2 * i), i == 0 ? in : width, i == kLayers - 1 ? out : width));
  }
}

Tensor LinearStack::forward(Ctx& ctx, const Tensor& x) const {  // [N,in]
  Tensor h = to_compute(ctx, act_(ctx, layers_.front()->forward(ctx, x)));
  for (size_t i = 1; i + 1 < layers_.size(); ++i) h = act_(ctx, layers_[i]->forward(ctx, h));  // [N,width]
  return layers_.back()->forward(ctx, to_dtype(ctx, h, x.dtype()));                            // [N,out]
}

MlpScore::MlpScore(const ScoreNetworkConfig& config) : conditional_(config.conditional) {
  if (config.dae) throw ConfigError("score network mlp: has no target dae; use target = \"gaussian\"");
  if (config.standardize) throw ConfigError("score network mlp: has no standardize; set it to false");
  if (config.spectral_norm) throw ConfigError("score network mlp: has no spectral_norm; set it to false");
  if (config.norm.value_or("none") != "none") throw ConfigError("score network mlp: has no norm; set it to \"none\"");
  const int64_t dimensions = config.sample_shape.count();
  net_ = add<LinearStack>("net", dimensions + (conditional_ ? 1 : 0), width(config.width), dimensions,
                          nonlinearity(config));
}

Tensor MlpScore::forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const {
  Tensor h = flattened(ctx, x);  // [N,D]
  if (conditional_) h = append_column(ctx, h, sigma);
  h = net_->forward(ctx, h);
  return x.rank() == 2 ? h : reshape(ctx, h, x.shape());
}

MlpCritic::MlpCritic(const CriticConfig& config)
    : net_(add<LinearStack>("net", config.sample_shape.count(), width(config.width), 1, nonlinearity(config))) {}

Tensor MlpCritic::forward(Ctx& ctx, const Tensor& x) const {
  return reshape(ctx, net_->forward(ctx, flattened(ctx, x)), {x.dim(0)});
}

}  // namespace ascore
