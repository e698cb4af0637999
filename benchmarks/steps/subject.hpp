#pragma once

#include "benchmarks/steps/round_timer.hpp"
#include "engine/autograd/context.hpp"
#include "tools/recipe/recipe.hpp"

#include <optional>

namespace ascore::bench {

/// What a measurement of steps found.
struct StepReport {
  StepTimes times;
  std::optional<double> launches;
  int64_t parameters = 0;           ///< of the score network
  size_t peak_bytes = 0;            ///< of device memory, by the ledger
  std::optional<double> loss = {};  ///< of the last training step
};

/// Training steps as `ascore train` does them, on made-up data in host memory: loading, noise, forward, loss, backward,
/// optimizer and average; with a critic in the recipe its updates too.
StepReport time_training(Ctx& ctx, const tools::Recipe& recipe, const Rounds& rounds);
/// Updates of the recipe's critic alone. Throws ConfigError if it has none.
StepReport time_critic(Ctx& ctx, const tools::Recipe& recipe, const Rounds& rounds);
/// Steps of consistent annealed sampling down the recipe's last noise levels: score and update.
StepReport time_sampling(Ctx& ctx, const tools::Recipe& recipe, const Rounds& rounds);

}  // namespace ascore::bench
