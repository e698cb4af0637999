// Updates of a batch that is looked at part by part, or that other processes hold shares of. The losses are those of
// the whole batch: a sample's gradient depends on the others through the verdicts alone, and these are few.
#include "engine/training/adversarial.hpp"
#include "engine/training/held_buffers.hpp"
#include "engine/training/verdicts.hpp"
#include "kernels/fill/fill.hpp"

namespace ascore {

/// The context of a part: its samples draw what they would draw in the whole batch.
Ctx AdversarialGame::context_of(const Ctx& ctx, const BatchPart& part, Tape* tape) const {
  Ctx result = training_context(ctx, tape);
  result.random.first_sample += static_cast<uint64_t>(part.begin);
  return result;
}

double AdversarialGame::weight_of(const NoisyBatch& batch, const BatchPart& part) const {
  return static_cast<double>(part.end - part.begin) / static_cast<double>(share(batch).global);
}

/// Places for what the parts compute.
QueuedUpdate AdversarialGame::empty_update(Ctx& ctx, const NoisyBatch& batch) const {
  if (!config_.adversarial) return {};
  const Shape verdicts{batch.clean.dim(0)};
  return {.loss = {},
          .dsm = {},
          .generator = {},
          .fake = ctx.empty_like(batch.clean),
          .real_verdict = ctx.empty(verdicts, batch.clean.dtype()),
          .fake_verdict = ctx.empty(verdicts, batch.clean.dtype())};
}

/// D of every sample of the batch, remembered by nobody.
void AdversarialGame::judge(Ctx& ctx, const NoisyBatch& batch, QueuedUpdate& update,
                            const HeldBuffers& critic_start) const {
  for (const BatchPart& part : parts(batch)) {
    Ctx constant = context_of(ctx, part, nullptr);
    critic_start.restore(ctx);
    put_rows(ctx, update.real_verdict, part, critic_->forward(constant, rows(batch, part).clean));
    const Tensor seen = seen_by_critic(constant, update.fake.rows(part.begin, part.end));
    put_rows(ctx, update.fake_verdict, part, critic_->forward(constant, seen));
  }
}

/// The denoised samples, remembered by nobody.
void AdversarialGame::denoise(Ctx& ctx, const NoisyBatch& batch, QueuedUpdate& update,
                              const HeldBuffers& score_start) const {
  for (const BatchPart& part : parts(batch)) {
    Ctx constant = context_of(ctx, part, nullptr);
    score_start.restore(ctx);
    const NoisyBatch some = rows(batch, part);
    const Tensor s = score_.forward(constant, some.noisy, some.sigma);
    put_rows(ctx, update.fake, part, denoised(constant, some, s, config_.target));
  }
}

/// Gradients with respect to the verdicts of this process's samples, of a loss that couples all of the batch.
VerdictGradients AdversarialGame::coupled_gradients(Ctx& ctx, GanPlayer player, const NoisyBatch& batch,
                                                    const QueuedUpdate& update, double weight) const {
  const auto whole = [&](const Tensor& local) {
    return config_.peers.gather ? config_.peers.gather(ctx, local) : local;
  };
  const VerdictGradients all = verdict_gradients(ctx, config_.adversarial->loss, player, whole(update.real_verdict),
                                                 whole(update.fake_verdict), weight);
  const BatchShare mine = share(batch);
  const auto here = [&](const Tensor& x) { return x.rows(mine.first, mine.first + mine.count); };
  return {all.loss, here(all.real), here(all.fake)};
}

void AdversarialGame::sum_over_peers(Ctx& ctx, const Tensor& values) const {
  if (config_.peers.sum && values) config_.peers.sum(ctx, values);
}

bool AdversarialGame::is_last(const NoisyBatch& batch, const BatchPart& part) {
  return part.end == batch.clean.dim(0);
}

void AdversarialGame::begin_gradients(Ctx& ctx, Tape& tape, const Learner& learner) const {
  if (config_.peers.begin_gradients) config_.peers.begin_gradients(ctx, tape, learner);
}

void AdversarialGame::end_gradients(Ctx& ctx, const Learner& learner) const {
  if (config_.peers.end_gradients) {
    config_.peers.end_gradients(ctx);
  } else {
    sum_over_peers(ctx, learner.gradients);
  }
}

QueuedUpdate AdversarialGame::critic_in_parts(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record) {
  const AdversarialConfig& adversarial = config_.adversarial.value();
  const HeldBuffers score_start(ctx, score_learner_.parameters), critic_start(ctx, critic_learner_->parameters);
  QueuedUpdate update = empty_update(ctx, batch);
  denoise(ctx, batch, update, score_start);
  std::optional<VerdictGradients> coupled;
  if (couples_samples(adversarial.loss)) {
    judge(ctx, batch, update, critic_start);
    coupled = coupled_gradients(ctx, GanPlayer::critic, batch, update, adversarial.lambda_critic);
  }
  Tensor loss;
  for (const BatchPart& part : parts(batch)) {
    critic_start.restore(ctx);
    Tape tape(config_.recompute);
    Ctx learning = context_of(ctx, part, &tape);
    critic_learner_->watch(tape, part.begin > 0);
    if (is_last(batch, part)) begin_gradients(learning, tape, *critic_learner_);
    const Tensor real = critic_->forward(learning, rows(batch, part).clean);
    const Tensor seen = seen_by_critic(learning, update.fake.rows(part.begin, part.end));
    const Tensor fake = critic_->forward(learning, seen);
    if (coupled) {
      tape.backward(learning, {{real, coupled->real.rows(part.begin, part.end)},
                               {fake, coupled->fake.rows(part.begin, part.end)}});
      continue;
    }
    const double weight = weight_of(batch, part);
    const VerdictGradients own =
        verdict_gradients(ctx, adversarial.loss, GanPlayer::critic, real, fake, weight * adversarial.lambda_critic);
    tape.backward(learning, {{real, own.real}, {fake, own.fake}});
    put_rows(ctx, update.real_verdict, part, real);
    put_rows(ctx, update.fake_verdict, part, fake);
    loss = plus(ctx, loss, own.loss, weight);
  }
  end_gradients(ctx, *critic_learner_);
  sum_over_peers(ctx, loss);
  Ctx plain = ctx.detached();
  update.loss = scale(plain, coupled ? coupled->loss : loss, adversarial.lambda_critic);
  critic_learner_->finish_update(ctx, update.loss, Player::critic, record);
  return update;
}

QueuedUpdate AdversarialGame::score_in_parts(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record) {
  const bool adversarial = config_.adversarial.has_value();
  const AdversarialConfig weights = config_.adversarial.value_or(AdversarialConfig{});
  const HeldBuffers score_start(ctx, score_learner_.parameters);
  const std::optional<HeldBuffers> critic_start =
      adversarial ? std::optional<HeldBuffers>(std::in_place, ctx, critic_learner_->parameters) : std::nullopt;
  QueuedUpdate update = empty_update(ctx, batch);
  std::optional<VerdictGradients> coupled;
  if (adversarial && couples_samples(weights.loss)) {
    denoise(ctx, batch, update, score_start);
    judge(ctx, batch, update, *critic_start);
    coupled = coupled_gradients(ctx, GanPlayer::generator, batch, update, weights.lambda_generator);
  }
  for (const BatchPart& part : parts(batch)) {
    score_start.restore(ctx);
    if (critic_start) critic_start->restore(ctx);
    Tape tape(config_.recompute);
    Ctx learning = context_of(ctx, part, &tape);
    score_learner_.watch(tape, part.begin > 0);
    if (is_last(batch, part)) begin_gradients(learning, tape, score_learner_);
    const NoisyBatch some = rows(batch, part);
    const double weight = weight_of(batch, part);
    const ScoreEvaluation evaluation = evaluate_score(learning, score_, some, config_.loss);
    update.dsm = plus(ctx, update.dsm, evaluation.loss, weight);
    Tensor dsm_seed = ctx.empty(evaluation.loss.shape(), evaluation.loss.dtype(), MemoryKind::gradients);
    kernels::fill(ctx.stream, dsm_seed, weight * (adversarial ? weights.lambda_dsm : 1));
    if (!adversarial) {
      tape.backward(learning, evaluation.loss, dsm_seed);
      continue;
    }
    const Tensor sample = denoised(learning, some, evaluation.s, config_.target);
    const Tensor real = critic_->forward(learning, some.clean);
    const Tensor fake = critic_->forward(learning, seen_by_critic(learning, sample));
    if (coupled) {
      tape.backward(learning, {{evaluation.loss, dsm_seed}, {fake, coupled->fake.rows(part.begin, part.end)}});
      continue;
    }
    const VerdictGradients own =
        verdict_gradients(ctx, weights.loss, GanPlayer::generator, real, fake, weight * weights.lambda_generator);
    tape.backward(learning, {{evaluation.loss, dsm_seed}, {fake, own.fake}});
    put_rows(ctx, update.fake, part, sample);
    put_rows(ctx, update.real_verdict, part, real);
    put_rows(ctx, update.fake_verdict, part, fake);
    update.generator = plus(ctx, update.generator, own.loss, weight);
  }
  end_gradients(ctx, score_learner_);
  sum_over_peers(ctx, update.dsm);
  sum_over_peers(ctx, update.generator);
  if (coupled) update.generator = coupled->loss;
  update.loss = update.dsm;
  if (adversarial) {
    update.loss = plus(ctx, plus(ctx, {}, update.dsm, weights.lambda_dsm), update.generator, weights.lambda_generator);
  }
  score_learner_.finish_update(ctx, update.loss, Player::score, record, update.dsm, update.generator);
  return update;
}

}  // namespace ascore
