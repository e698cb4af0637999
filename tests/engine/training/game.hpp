#pragma once

#include "engine/training/adversarial.hpp"
#include "engine/training/noise_levels.hpp"
#include "engine/training/random_streams.hpp"
#include "models/registry.hpp"
#include "tests/support/devices.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ascore::test {

/// Networks and learners of a game on random samples, and what one update of each player computes.
struct Game {
  Bench bench;
  DType dtype;
  Shape sample;
  std::unique_ptr<ScoreNetwork> network;
  std::unique_ptr<Critic> critic;
  Learner score, judge;

  Game(const ScoreNetworkConfig& score_config, const CriticConfig& critic_config, DType type = DType::f32,
       Device device = Device::cpu, DType compute = DType::f32)
      : bench(device, compute),
        dtype(type),
        sample(score_config.sample_shape),
        network(make_score_network(score_config)),
        critic(make_critic(critic_config)),
        score(bench.ctx, *network, {.name = "sgd", .lr = 1e-2}, 0.5, type),
        judge(bench.ctx, *critic, {.name = "sgd", .lr = 1e-2}, std::nullopt, type) {
    score.initialise(bench.ctx, 1);
    judge.initialise(bench.ctx, 1, "critic");
    bench.ctx.random = {.seed = 9, .stream = id(RandomStream::dropout)};
  }
  AdversarialGame game(GameConfig config) {
    if (config.adversarial) return {config, *network, score, critic.get(), &judge};
    return {config, *network, score, nullptr, nullptr};
  }
  /// Samples [first, first + count) of a batch without end.
  NoisyBatch batch(int64_t count, int64_t first = 0) {
    std::vector<int64_t> dims{first + count};
    dims.insert(dims.end(), sample.dims().begin(), sample.dims().end());
    const Shape all{std::span<const int64_t>(dims)};
    std::vector<double> values = normals(static_cast<size_t>(all.count()), 7);
    for (double& value : values) value = std::clamp(0.5 + 0.4 * value, 0.0, 1.0);
    const Tensor clean = bench.ctx.from_host(values, all, dtype).rows(first, first + count);
    const Tensor levels = bench.ctx.from_host(noise_levels(2, 0.1, 6, Spacing::geometric), {6}, dtype);
    const auto at = [&](RandomStream stream) {
      return NoiseKey{.seed = 6, .stream = id(stream), .first_sample = static_cast<uint64_t>(first)};
    };
    return add_noise(bench.ctx, clean, levels, ScoreTarget::gaussian, at(RandomStream::sigma), at(RandomStream::noise));
  }
  std::vector<double> values(const Tensor& x) { return bench.ctx.to_host(x); }
  std::vector<std::vector<double>> buffers() {
    std::vector<std::vector<double>> all;
    for (const Learner* learner : {&score, &judge}) {
      for (const Parameter* buffer : learner->parameters.buffers()) all.push_back(values(buffer->value));
    }
    return all;
  }
};

/// What one update of either player computed.
struct GameOutcome {
  std::vector<double> losses, critic, score;  ///< and gradients
  std::vector<double> verdicts, fake;         ///< of the score update
  std::vector<std::vector<double>> buffers;
};
inline GameOutcome play(Game& table, const GameConfig& config, const NoisyBatch& batch) {
  AdversarialGame game = table.game(config);
  GameOutcome outcome;
  if (config.adversarial) {
    outcome.losses.push_back(game.update_critic(table.bench.ctx, batch).loss);
    outcome.critic = table.values(table.judge.gradients);
  }
  const ScoreUpdate update = game.update_score(table.bench.ctx, batch);
  outcome.losses.insert(outcome.losses.end(), {update.dsm, update.generator, update.loss});
  outcome.score = table.values(table.score.gradients);
  if (config.adversarial) {
    outcome.verdicts = table.values(update.real_verdict);
    const std::vector<double> fake = table.values(update.fake_verdict);
    outcome.verdicts.insert(outcome.verdicts.end(), fake.begin(), fake.end());
    outcome.fake = table.values(update.fake);
  }
  outcome.buffers = table.buffers();
  return outcome;
}

/// The largest difference, in units of the largest reference value.
inline double distance(const std::vector<double>& found, const std::vector<double>& reference) {
  if (found.size() != reference.size()) return INFINITY;
  double largest = 0, furthest = 0;
  for (size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(reference[i]));
    furthest = std::max(furthest, std::abs(found[i] - reference[i]));
  }
  return largest > 0 ? furthest / largest : furthest;
}

}  // namespace ascore::test
