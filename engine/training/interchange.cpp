#include "engine/training/interchange.hpp"

#include "kernels/core/error.hpp"

#include <string>

#include <fmt/format.h>

namespace ascore {
namespace {

const std::string kAverage = "ema.", kCritic = "critic.";

/// Adds what stands under `from` in the checkpoint for these parameters, under `to`.
void add_entries(const Checkpoint& checkpoint, Module& network, std::string_view from, std::string_view to,
                 bool with_buffers, StateDict& into) {
  for (const Parameter* parameter : network.parameters()) {
    if (!parameter->trainable && !with_buffers) continue;
    const std::string name = fmt::format("{}{}", from, parameter->name);
    const auto found = checkpoint.tensors.find(name);
    if (found == checkpoint.tensors.end()) {
      throw DataError(fmt::format("checkpoint of another model: it has no tensor '{}'", name));
    }
    if (found->second.shape != parameter->shape) {
      throw DataError(fmt::format("checkpoint of another model: '{}' is {}, the model's is {}", name,
                                  to_string(found->second.shape), to_string(parameter->shape)));
    }
    into.emplace(fmt::format("{}{}", to, parameter->name), to_pytorch(found->second, parameter->layout));
  }
}

/// The entries of three state_dicts that lie in one; those of average and critic keep their prefix.
struct Parts {
  StateDict score, average, critic;
};

Parts split(const StateDict& state) {
  Parts parts;
  for (const auto& [name, value] : state) {
    if (!all_finite(value)) throw DataError(fmt::format("state: '{}' holds values that are not finite", name));
    if (name.starts_with(kAverage))
      parts.average.emplace(name, value);
    else if (name.starts_with(kCritic))
      parts.critic.emplace(name, value);
    else
      parts.score.emplace(name, value);
  }
  return parts;
}

void load(Ctx& ctx, Learner& learner, const StateDict& state, const std::string& prefix = "") {
  check_names(learner.parameters, state, prefix);
  from_state_dict(ctx, learner.parameters, learner.parameters.flat(), state, prefix);
  buffers_from_state_dict(ctx, learner.parameters, state, prefix);
}

}  // namespace

StateDict export_networks(const Checkpoint& checkpoint, ScoreNetwork& network, Critic* critic) {
  StateDict state;
  add_entries(checkpoint, network, "score.", "", true, state);
  add_entries(checkpoint, network, "ema.", kAverage, false, state);
  if (critic) add_entries(checkpoint, *critic, "critic.", kCritic, true, state);
  return state;
}

Checkpoint import_networks(Ctx& ctx, const StateDict& state, int64_t step, const TrainerConfig& config,
                           ScoreNetwork& network, Critic* critic) {
  const Parts parts = split(state);
  if (!parts.critic.empty() && !critic) {
    throw DataError(
        fmt::format("state: '{}' belongs to a critic, but the recipe has no [critic]", parts.critic.begin()->first));
  }
  Checkpoint checkpoint{.step = step,
                        .seed = config.seed,
                        .data_position = 0,
                        .threads = ctx.stream.threads(),
                        .device = name(ctx.stream.device()),
                        .precision = name(ctx.compute),
                        .recipe = config.recipe,
                        .optimizer_steps = {},
                        .tensors = {}};
  Learner score(ctx, network, config.score_optimizer, config.ema, DType::f32);
  load(ctx, score, parts.score);
  score.restart_average(ctx);
  if (!parts.average.empty()) {
    check_names(score.parameters, parts.average, kAverage);
    from_state_dict(ctx, score.parameters, score.average, parts.average, kAverage);
  }
  store_learner(ctx, score, "score", checkpoint);
  if (!critic) return checkpoint;
  Learner adversary(ctx, *critic, config.critic_optimizer, std::nullopt, DType::f32);
  if (parts.critic.empty())
    adversary.initialise(ctx, config.seed, "critic");
  else
    load(ctx, adversary, parts.critic, kCritic);
  store_learner(ctx, adversary, "critic", checkpoint);
  return checkpoint;
}

}  // namespace ascore
