#pragma once

#include "engine/autograd/operations.hpp"

namespace ascore {

/// True if a sample's part of the loss depends on the other samples of the batch: the losses relative to batch means.
bool couples_samples(GanLoss loss);

/// A player's loss, and what it wants of the verdicts: `weight` times the gradients with respect to them.
struct VerdictGradients {
  Tensor loss, real, fake;
};
/// real, fake [N]: D of data and of samples.
VerdictGradients verdict_gradients(Ctx& ctx, GanLoss loss, GanPlayer player, const Tensor& real, const Tensor& fake,
                                   double weight);

}  // namespace ascore
