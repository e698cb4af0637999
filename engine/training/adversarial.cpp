#include "engine/training/adversarial.hpp"

#include "kernels/core/error.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

/// The scalar's value; throws DivergedError before anything was updated from it.
double finite(Ctx& ctx, const Tensor& loss, const char* what) {
  const double value = ctx.to_host(loss).at(0);
  if (!std::isfinite(value)) throw DivergedError(fmt::format("the {} loss is {}", what, value));
  return value;
}

/// The context of an update: in training mode, remembered on `tape` (null: not).
Ctx training_context(const Ctx& ctx, Tape* tape) {
  Ctx result = ctx;
  result.training = true;
  result.tape = tape;
  return result;
}

}  // namespace

AdversarialGame::AdversarialGame(const GameConfig& config, const ScoreNetwork& score, Learner& score_learner,
                                 const Critic* critic, Learner* critic_learner)
    : config_(config), score_(score), score_learner_(score_learner), critic_(critic), critic_learner_(critic_learner) {
  const bool wanted = config.adversarial.has_value();
  if (wanted != (critic != nullptr) || wanted != (critic_learner != nullptr)) {
    throw ConfigError("adversarial training needs both an adversarial loss and a critic; plain training neither");
  }
  if (wanted) check(*config.adversarial);
}

Tensor AdversarialGame::seen_by_critic(Ctx& ctx, const Tensor& fake) const {
  const bool clamped = config_.adversarial->clamp && config_.range;
  return clamped ? clamp(ctx, fake, config_.range->low, config_.range->high) : fake;
}

CriticUpdate AdversarialGame::update_critic(Ctx& ctx, const NoisyBatch& batch) {
  const AdversarialConfig& adversarial = config_.adversarial.value();
  Ctx constant = training_context(ctx, nullptr);
  CriticUpdate update;
  const Tensor s = score_.forward(constant, batch.noisy, batch.sigma);
  update.fake = denoised(constant, batch, s, config_.target);
  const Tensor seen = seen_by_critic(constant, update.fake);

  Tape tape;
  Ctx learning = training_context(ctx, &tape);
  critic_learner_->watch(tape);
  update.real_verdict = critic_->forward(learning, batch.clean);
  update.fake_verdict = critic_->forward(learning, seen);
  const Tensor verdict = critic_loss(learning, adversarial.loss, update.real_verdict, update.fake_verdict);
  const Tensor loss = scale(learning, verdict, adversarial.lambda_critic);
  update.loss = finite(ctx, loss, "critic's");
  critic_learner_->minimise(learning, tape, loss, "critic");
  return update;
}

ScoreUpdate AdversarialGame::update_score(Ctx& ctx, const NoisyBatch& batch) {
  Tape tape;
  Ctx learning = training_context(ctx, &tape);
  score_learner_.watch(tape);
  ScoreUpdate update;
  const ScoreEvaluation evaluation = evaluate_score(learning, score_, batch, config_.loss);
  Tensor loss = evaluation.loss;
  update.dsm = finite(ctx, evaluation.loss, "score matching");
  if (config_.adversarial) {
    update.fake = denoised(learning, batch, evaluation.s, config_.target);
    // the critic's parameters are not watched: its forward on real data leaves nothing on the tape
    update.real_verdict = critic_->forward(learning, batch.clean);
    update.fake_verdict = critic_->forward(learning, seen_by_critic(learning, update.fake));
    const Tensor generator =
        generator_loss(learning, config_.adversarial->loss, update.real_verdict, update.fake_verdict);
    update.generator = finite(ctx, generator, "generator's");
    loss = add(learning, scale(learning, loss, config_.adversarial->lambda_dsm),
               scale(learning, generator, config_.adversarial->lambda_generator));
  }
  update.loss = finite(ctx, loss, "score network's");
  score_learner_.minimise(learning, tape, loss, "score network");
  return update;
}

}  // namespace ascore
