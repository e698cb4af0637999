#pragma once

#include "engine/nn/interfaces.hpp"
#include "engine/training/config.hpp"

namespace ascore {

/// Clean samples with noise added, each at its own level: what one update of either network looks at.
struct NoisyBatch {
  Tensor clean;   ///< x [N,...], f32 or f64
  Tensor noisy;   ///< x~ = x + sigma z
  Tensor sigma;   ///< [N]
  Tensor target;  ///< what the score network should say: -z, or x (`dae`)
};

/// Adds noise to `clean` [N,...]: a level per sample, uniform among `levels` [L] (of clean's dtype), drawn with
/// `sigma_key`, then standard normals, drawn with `noise_key`.
NoisyBatch add_noise(Ctx& ctx, const Tensor& clean, const Tensor& levels, ScoreTarget target, const NoiseKey& sigma_key,
                     const NoiseKey& noise_key);

/// One evaluation of the score network and its denoising score matching loss (Vincent 2011; mathematics.md "Denoising
/// score matching").
struct ScoreEvaluation {
  Tensor s;     ///< the network's output, of noisy's shape
  Tensor loss;  ///< scalar: mean over the batch of the per-sample loss
};
/// `per_sample` [N], if given, receives each sample's loss.
ScoreEvaluation evaluate_score(Ctx& ctx, const ScoreNetwork& network, const NoisyBatch& batch, DsmLoss kind,
                               Tensor per_sample = {});

/// The denoised samples H(x~): x~ + sigma s by Tweedie's formula, or s itself for `dae`. Not clamped.
Tensor denoised(Ctx& ctx, const NoisyBatch& batch, const Tensor& s, ScoreTarget target);

}  // namespace ascore
