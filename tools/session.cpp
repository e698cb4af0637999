#include "tools/session.hpp"

#include "engine/autograd/operations.hpp"
#include "kernels/core/error.hpp"
#include "models/registry.hpp"
#include "tools/configs.hpp"

#include <fmt/format.h>

namespace ascore::tools {
namespace {

Tensor network_output(Ctx& ctx, const ScoreNetwork& network, const Tensor& x, double sigma) {
  const std::vector<double> sigmas(static_cast<size_t>(x.dim(0)), sigma);
  return network.forward(ctx, x, ctx.from_host(sigmas, {x.dim(0)}, x.dtype()));
}

}  // namespace

Session::Session(const CommonOptions& options)
    : stream_(chosen_device(options), {.threads = options.threads}),
      allocator_(make_pool_allocator(stream_.device())),
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
  model.parameters.emplace(ctx, *model.network, DType::f32);
  load_score_network(ctx, *model.parameters, checkpoint, averaged);
  return model;
}

Tensor LoadedModel::output(Ctx& ctx, const Tensor& x, double sigma) const {
  return network_output(ctx, *network, x, sigma);
}

Tensor LoadedModel::score(Ctx& ctx, const Tensor& x, double sigma) const {
  return estimated_score(ctx, *network, recipe.score.target == "dae", x, sigma);
}

Tensor estimated_score(Ctx& ctx, const ScoreNetwork& network, bool dae, const Tensor& x, double sigma) {
  const Tensor s = network_output(ctx, network, x, sigma);
  if (!dae) return scale(ctx, s, 1 / sigma);
  return scale(ctx, add(ctx, s, scale(ctx, x, -1)), 1 / (sigma * sigma));
}

}  // namespace ascore::tools
