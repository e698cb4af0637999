#pragma once

#include "engine/nn/interfaces.hpp"
#include "engine/nn/pytorch_layout.hpp"
#include "engine/training/checkpoint.hpp"
#include "engine/training/trainer.hpp"

namespace ascore {

/// The networks of a checkpoint as PyTorch's state_dicts hold them, in one: the score network's parameters and buffers
/// under their names, its averaged parameters under `ema.NAME`, the critic's parameters and buffers under
/// `critic.NAME`. Convolution weights are OIHW. `critic`: null for plain score matching. Throws DataError, naming the
/// tensor, for a checkpoint of another model.
StateDict export_networks(const Checkpoint& checkpoint, ScoreNetwork& network, Critic* critic);

/// The inverse: a checkpoint of step `step` with optimizers that have not stepped yet. Without `ema.` entries the
/// average is a copy of the parameters; without `critic.` entries a critic starts as in a new run of config.seed.
/// Throws DataError, naming the entry, if one is missing, of another shape, not finite or of no network.
Checkpoint import_networks(Ctx& ctx, const StateDict& state, int64_t step, const TrainerConfig& config,
                           ScoreNetwork& network, Critic* critic);

}  // namespace ascore
