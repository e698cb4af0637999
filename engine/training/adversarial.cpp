#include "engine/training/adversarial.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {

/// The record's values after an update; throws DivergedError if it halted.
UpdateRecord::Values done(Ctx& ctx, const UpdateRecord& record) {
  UpdateRecord::Values values = record.read(ctx);
  if (values.halt) throw DivergedError(values.halt->what);
  return values;
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
  if (config.micro_batch == 0 && !config.peers.sum) return;
  const bool mixes = score.mixes_samples() || (critic && critic->mixes_samples());
  if (mixes || config.loss == DsmLoss::l1_msssim) {
    throw ConfigError(fmt::format(
        "a batch cannot be split (training.micro_batch, or several ranks): {} takes statistics of the whole batch",
        !mixes                  ? "the loss l1_msssim"
        : score.mixes_samples() ? "the score network (standardize or batch_norm)"
                                : "the critic (batch_norm)"));
  }
}

/// The context of an update: in training mode, remembered on `tape` (null: not).
Ctx AdversarialGame::training_context(const Ctx& ctx, Tape* tape) {
  Ctx result = ctx;
  result.training = true;
  result.tape = tape;
  return result;
}

BatchShare AdversarialGame::share(const NoisyBatch& batch) const {
  const int64_t count = batch.clean.dim(0);
  return config_.share.value_or(BatchShare{.global = count, .first = 0, .count = count});
}

std::vector<BatchPart> AdversarialGame::parts(const NoisyBatch& batch) const {
  return parts_of(batch.clean.dim(0), config_.micro_batch);
}

bool AdversarialGame::is_whole(const NoisyBatch& batch) const {
  return !config_.peers.sum && parts(batch).size() == 1;
}

Tensor AdversarialGame::seen_by_critic(Ctx& ctx, const Tensor& fake) const {
  const bool clamped = config_.adversarial->clamp && config_.range;
  return clamped ? clamp(ctx, fake, config_.range->low, config_.range->high) : fake;
}

QueuedUpdate AdversarialGame::queue_critic(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record) {
  if (!is_whole(batch)) return critic_in_parts(ctx, batch, record);
  const AdversarialConfig& adversarial = config_.adversarial.value();
  Ctx constant = training_context(ctx, nullptr);
  QueuedUpdate update;
  const Tensor s = score_.forward(constant, batch.noisy, batch.sigma);
  update.fake = denoised(constant, batch, s, config_.target);
  const Tensor seen = seen_by_critic(constant, update.fake);

  Tape tape(config_.recompute);
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
  if (!is_whole(batch)) return score_in_parts(ctx, batch, record);
  Tape tape(config_.recompute);
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
