#pragma once

#include "engine/autograd/recompute.hpp"
#include "engine/training/batch_parts.hpp"
#include "engine/training/learner.hpp"
#include "engine/training/score_matching.hpp"

#include <optional>
#include <vector>

namespace ascore {

class HeldBuffers;
struct VerdictGradients;

/// What both kinds of update have to know; `adversarial` absent: plain score matching.
struct GameConfig {
  ScoreTarget target = ScoreTarget::gaussian;
  DsmLoss loss = DsmLoss::l2;
  std::optional<AdversarialConfig> adversarial = {};
  std::optional<ValueRange> range =
      {};  ///< clamp of denoised samples before the critic sees them, if adversarial.clamp
  /// Samples on the tape at once, 0: all. Forward and backward run part by part; losses are those of the whole batch.
  int64_t micro_batch = 0;
  Recompute recompute = Recompute::none;
  std::optional<BatchShare> share = {};  ///< of the update's batch; absent: this process has all of it
  BatchPeers peers = {};                 ///< where it has not
};

/// An update as it is queued: what it computes, in device memory. `loss` is what the player minimises; without a critic
/// all but the losses are absent.
struct QueuedUpdate {
  Tensor loss;
  Tensor dsm, generator;              ///< parts of the score network's loss
  Tensor fake;                        ///< denoised samples before the clamp
  Tensor real_verdict, fake_verdict;  ///< D(real) and D(fake) [N]
};

/// What a critic's update computed.
struct CriticUpdate {
  double loss = 0;      ///< lambda_critic loss_D
  Tensor fake;          ///< denoised samples before the clamp
  Tensor real_verdict;  ///< D(real) [N]
  Tensor fake_verdict;  ///< D(fake) [N]
};

/// What a score network's update computed.
struct ScoreUpdate {
  double loss = 0;       ///< lambda_dsm dsm + lambda_generator generator
  double dsm = 0;        ///< denoising score matching loss
  double generator = 0;  ///< loss_G; 0 without a critic
  Tensor fake;           ///< denoised samples before the clamp; this and the verdicts are absent without a critic
  Tensor real_verdict;   ///< D(real) [N]
  Tensor fake_verdict;   ///< D(fake) [N]
};

/// Adversarial score matching (Jolicoeur-Martineau et al. 2021, arXiv:2009.05475, section 4): the score network's
/// denoised samples should also pass for data in the eyes of a critic. Both networks stay in training mode, and the
/// critic looks at real before fake in either update, so its spectral-norm vectors advance four times per iteration of
/// one critic step. Without a critic this is denoising score matching. Owns nothing: networks and learners outlive it.
///
/// If a loss or a gradient is not finite, parameters and average do not change: `queue_...` halt the record,
/// `update_...` throw DivergedError naming what.
class AdversarialGame {
 public:
  /// critic and critic_learner: null exactly if config.adversarial is absent. Throws ConfigError, also for a batch in
  /// parts or shares if a network or a loss takes statistics of the batch.
  AdversarialGame(const GameConfig& config, const ScoreNetwork& score, Learner& score_learner, const Critic* critic,
                  Learner* critic_learner);

  /// One step of the critic on data against denoised samples; the score network is constant. Its learner has begun the
  /// update. Nothing of it looks at the host: it can be captured and replayed.
  QueuedUpdate queue_critic(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record);
  /// One step of the score network, and of its average; the critic is constant. The rest as queue_critic.
  QueuedUpdate queue_score(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record);

  /// The same, begun, done and waited for.
  CriticUpdate update_critic(Ctx& ctx, const NoisyBatch& batch);
  ScoreUpdate update_score(Ctx& ctx, const NoisyBatch& batch);

 private:
  Tensor seen_by_critic(Ctx& ctx, const Tensor& fake) const;
  static Ctx training_context(const Ctx& ctx, Tape* tape);
  BatchShare share(const NoisyBatch& batch) const;
  std::vector<BatchPart> parts(const NoisyBatch& batch) const;
  bool is_whole(const NoisyBatch& batch) const;

  Ctx context_of(const Ctx& ctx, const BatchPart& part, Tape* tape) const;
  double weight_of(const NoisyBatch& batch, const BatchPart& part) const;
  QueuedUpdate empty_update(Ctx& ctx, const NoisyBatch& batch) const;
  void denoise(Ctx& ctx, const NoisyBatch& batch, QueuedUpdate& update, const HeldBuffers& score_start) const;
  void judge(Ctx& ctx, const NoisyBatch& batch, QueuedUpdate& update, const HeldBuffers& critic_start) const;
  VerdictGradients coupled_gradients(Ctx& ctx, GanPlayer player, const NoisyBatch& batch, const QueuedUpdate& update,
                                     double weight) const;
  void sum_over_peers(Ctx& ctx, const Tensor& values) const;
  static bool is_last(const NoisyBatch& batch, const BatchPart& part);
  void begin_gradients(Ctx& ctx, Tape& tape, const Learner& learner) const;
  void end_gradients(Ctx& ctx, const Learner& learner) const;
  QueuedUpdate critic_in_parts(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record);
  QueuedUpdate score_in_parts(Ctx& ctx, const NoisyBatch& batch, const UpdateRecord& record);

  GameConfig config_;
  const ScoreNetwork& score_;
  Learner& score_learner_;
  const Critic* critic_;
  Learner* critic_learner_;
};

}  // namespace ascore
