#include "engine/training/score_matching.hpp"

#include "kernels/perturb/perturb.hpp"
#include "kernels/sigma_draw/sigma_draw.hpp"

#include <utility>

namespace ascore {

NoisyBatch add_noise(Ctx& ctx, const Tensor& clean, const Tensor& levels, ScoreTarget target, const NoiseKey& sigma_key,
                     const NoiseKey& noise_key) {
  NoisyBatch batch{.clean = clean,
                   .noisy = ctx.empty_like(clean),
                   .sigma = ctx.empty({clean.dim(0)}, clean.dtype()),
                   .target = clean};
  kernels::sigma_draw(ctx.stream, sigma_key, levels, batch.sigma, {});
  View minus_z;
  if (target == ScoreTarget::gaussian) minus_z = batch.target = ctx.empty_like(clean);
  kernels::perturb(ctx.stream, clean, batch.sigma, noise_key, batch.noisy, minus_z);
  return batch;
}

ScoreEvaluation evaluate_score(Ctx& ctx, const ScoreNetwork& network, const NoisyBatch& batch, DsmLoss kind,
                               Tensor per_sample) {
  const Tensor s = network.forward(ctx, batch.noisy, batch.sigma);
  return {.s = s, .loss = dsm_loss(ctx, s, batch.target, kind, std::move(per_sample))};
}

Tensor denoised(Ctx& ctx, const NoisyBatch& batch, const Tensor& s, ScoreTarget target) {
  return target == ScoreTarget::dae ? s : tweedie(ctx, batch.noisy, s, batch.sigma);
}

}  // namespace ascore
