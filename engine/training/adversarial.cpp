#include "engine/training/adversarial.hpp"

#include "kernels/core/error.hpp"

namespace ascore {

namespace {

/// The record's values after an update; throws DivergedError if it halted.
UpdateRecord::Values done(Ctx& ctx, const UpdateRecord& record) {
  UpdateRecord::Values values = record.read(ctx);
  if (values.halt) throw DivergedError(values.halt->what);
  return values;
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

QueuedUpdate AdversarialGame::queue_critic(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record) {
  const AdversarialConfig& adversarial = config_.adversarial.value();
  Ctx constant = training_context(ctx, nullptr);
  QueuedUpdate update;
  const Tensor s = score_.forward(constant, batch.noisy, batch.sigma);
  update.fake = denoised(constant, batch, s, config_.target);
  const Tensor seen = seen_by_critic(constant, update.fake);

  Tape tape;
  Ctx learning = training_context(ctx, &tape);
  critic_learner_->watch(tape);
  update.real_verdict = critic_->forward(learning, batch.clean);
  update.fake_verdict = critic_->forward(learning, seen);
  const Tensor verdict = critic_loss(learning, adversarial.loss, update.real_verdict, update.fake_verdict);
  update.loss = scale(learning, verdict, adversarial.lambda_critic);
  critic_learner_->minimise(learning, tape, update.loss, Player::critic, record);
  return update;
}

QueuedUpdate AdversarialGame::queue_score(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record) {
  Tape tape;
  Ctx learning = training_context(ctx, &tape);
  score_learner_.watch(tape);
  QueuedUpdate update;
  const ScoreEvaluation evaluation = evaluate_score(learning, score_, batch, config_.loss);
  update.loss = update.dsm = evaluation.loss;
  if (config_.adversarial) {
    update.fake = denoised(learning, batch, evaluation.s, config_.target);
    // the critic's parameters are not watched: its forward on real data leaves nothing on the tape
    update.real_verdict = critic_->forward(learning, batch.clean);
    update.fake_verdict = critic_->forward(learning, seen_by_critic(learning, update.fake));
    update.generator = generator_loss(learning, config_.adversarial->loss, update.real_verdict, update.fake_verdict);
    update.loss = add(learning, scale(learning, update.dsm, config_.adversarial->lambda_dsm),
                      scale(learning, update.generator, config_.adversarial->lambda_generator));
  }
  score_learner_.minimise(learning, tape, update.loss, Player::score, record, update.dsm, update.generator);
  return update;
}

CriticUpdate AdversarialGame::update_critic(Ctx& ctx, const NoisyBatch& batch) {
  const UpdateRecord record(ctx);
  critic_learner_->begin_update(ctx, 0);
  const QueuedUpdate update = queue_critic(ctx, batch, record);
  return {.loss = done(ctx, record).critic.loss,
          .fake = update.fake,
          .real_verdict = update.real_verdict,
          .fake_verdict = update.fake_verdict};
}

ScoreUpdate AdversarialGame::update_score(Ctx& ctx, const NoisyBatch& batch) {
  const UpdateRecord record(ctx);
  score_learner_.begin_update(ctx, 0);
  const QueuedUpdate update = queue_score(ctx, batch, record);
  const UpdateRecord::Losses losses = done(ctx, record).score;
  return {.loss = losses.loss,
          .dsm = losses.first_part,
          .generator = losses.second_part,
          .fake = update.fake,
          .real_verdict = update.real_verdict,
          .fake_verdict = update.fake_verdict};
}

}  // namespace ascore
