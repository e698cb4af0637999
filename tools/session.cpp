#include "tools/session.hpp"

#include "engine/autograd/master_type.hpp"
#include "engine/autograd/operations.hpp"
#include "engine/nn/layers.hpp"
#include "kernels/core/error.hpp"
#include "kernels/step_values/step_values.hpp"
#include "models/registry.hpp"
#include "tools/configs.hpp"

#include <fmt/format.h>

namespace ascore::tools {
namespace {

/// The level of every row [N].
Tensor levels_of(Ctx& ctx, const Tensor& x, const NoiseLevel& sigma) {
  if (!sigma.replayed()) {
    return ctx.from_host(std::vector<double>(static_cast<size_t>(x.dim(0)), sigma), {x.dim(0)}, x.dtype());
  }
  const Tensor levels = ctx.empty({x.dim(0)}, x.dtype());
  kernels::fill_with(ctx.stream, sigma.sigma(), levels.view());
  return levels;
}

Tensor network_output(Ctx& ctx, const ScoreNetwork& network, const Tensor& x, const NoiseLevel& sigma) {
  return network.forward(ctx, x, levels_of(ctx, x, sigma));
}

/// x / sigma^power, power 1 or 2.
Tensor divided(Ctx& ctx, const Tensor& x, const NoiseLevel& sigma, int power) {
  if (!sigma.replayed()) {
    const double level = sigma;
    return scale(ctx, x, power == 1 ? 1 / level : 1 / (level * level));
  }
  const Tensor y = ctx.empty_like(x);
  kernels::scale_with(ctx.stream, x, power == 1 ? sigma.reciprocal() : sigma.reciprocal_square(), y.view());
  return y;
}

}  // namespace

Session::Session(const CommonOptions& options, const PoolOptions& memory)
    : stream_(chosen_device(options), {.threads = options.threads}),
      allocator_(make_pool_allocator(stream_.device(), memory)),
      ctx_{stream_, *allocator_} {
  ctx_.compute = chosen_precision(options, stream_.device());
}

void Session::out_of_memory() const {
  throw OutOfMemoryError(
      fmt::format("out of host memory, beside that of the networks, of which {}; use less data or smaller batches",
                  allocator_->ledger().peak_summary()));
}

LoadedModel load_model(Ctx& ctx, const std::filesystem::path& run_or_file, const std::vector<std::string>& overrides,
                       bool averaged) {
  LoadedModel model;
  model.file = find_checkpoint(run_or_file);
  const Checkpoint checkpoint = read_checkpoint(model.file);
  model.step = checkpoint.step;
  model.recipe = parse_recipe(checkpoint.recipe, fmt::format("recipe in {}", model.file.string()), overrides);
  model.network = make_score_network(score_network_config(model.recipe));
  model.parameters.emplace(ctx, *model.network, master_type(ctx));
  load_score_network(ctx, *model.parameters, checkpoint, averaged);
  return model;
}

Tensor LoadedModel::output(Ctx& ctx, const Tensor& x, double sigma) const {
  return network_output(ctx, *network, x, sigma);
}

Tensor LoadedModel::score(Ctx& ctx, const Tensor& x, double sigma) const {
  return estimated_score(ctx, *network, recipe.score.target == "dae", x, sigma);
}

Tensor estimated_score(Ctx& ctx, const ScoreNetwork& network, bool dae, const Tensor& x, const NoiseLevel& sigma) {
  const Tensor s = network_output(ctx, network, x, sigma);
  if (!dae) return divided(ctx, s, sigma, 1);
  return divided(ctx, add(ctx, s, scale(ctx, x, -1)), sigma, 2);
}

Tensor upload_state(Ctx& ctx, const HostTensor& values) {
  return to_dtype(ctx, upload(ctx, values, MemoryKind::activations), master_type(ctx));
}

HostTensor download_state(Ctx& ctx, const Tensor& state) {
  HostTensor values = download(ctx.stream, state);
  if (values.dtype == DType::f32) return values;
  return HostTensor::from_doubles(values.to_doubles(), values.shape, DType::f32);
}

}  // namespace ascore::tools
