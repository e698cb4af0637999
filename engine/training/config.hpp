#pragma once

#include "engine/autograd/operations.hpp"
#include "engine/autograd/recompute.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace ascore {

/// How noise levels are spaced between their ends.
enum class Spacing : uint8_t { geometric, linear };

/// What the score network estimates: -z (`gaussian`; score s/sigma), or the clean sample itself (`dae`; score
/// (s-x)/sigma^2).
enum class ScoreTarget : uint8_t { gaussian, dae };

/// Recipe table [noise]: L levels sigma_1 > ... > sigma_L.
struct NoiseConfig {
  double sigma_begin = 50.0;
  double sigma_end = 0.01;
  int levels = 232;
  Spacing spacing = Spacing::geometric;
};

/// Values that clean samples take: denoised samples are clamped to it before the critic sees them.
struct ValueRange {
  double low = 0.0, high = 1.0;
};
/// The range of images under a data transform: none [0,1], rescale [-1,1], logit nothing.
std::optional<ValueRange> image_range(std::string_view transform);

/// Recipe table [adversarial]; absent: plain score matching.
struct AdversarialConfig {
  GanLoss loss = GanLoss::lsgan;
  int critic_steps = 1;
  double lambda_dsm = 1.0;
  double lambda_generator = 1.0;
  double lambda_critic = 1.0;
  bool clamp = true;
};

/// Recipe table [training].
struct TrainingConfig {
  int64_t steps = 300000;
  int64_t batch_size = 128;
  int64_t micro_batch = 0;                ///< samples on the tape at once, their gradients added up; 0: all of a batch
  Recompute recompute = Recompute::none;  ///< what backward does again instead of keeping it
  DsmLoss loss = DsmLoss::l2;
  int64_t checkpoint_every = 5000;  ///< 0: only before the first and after the last step
  int64_t keep_checkpoints = 5;     ///< the newest that stay; 0: all
  int64_t preview_every = 5000;     ///< 0: none
  int64_t held_out_every = 500;     ///< steps between measurements of the held-out loss; 0: none
  int64_t held_out_samples = 256;   ///< test samples that a measurement uses, at most
  int64_t log_every = 1;            ///< steps between lines of metrics.jsonl, and between looks at the losses
  int64_t check_ranks_every = 100;  ///< several ranks: steps between comparisons of their parameters; 0: none
  bool cuda_graphs = true;          ///< steps are captured once and replayed, where the device can (cuda, simt)
};

/// Names as recipes spell them. The parsers throw ConfigError naming the known ones.
const char* name(Spacing spacing);
const char* name(ScoreTarget target);
const char* name(DsmLoss loss);
const char* name(GanLoss loss);
const char* name(Recompute recompute);
Spacing parse_spacing(std::string_view text);
ScoreTarget parse_score_target(std::string_view text);
DsmLoss parse_dsm_loss(std::string_view text);
GanLoss parse_gan_loss(std::string_view text);
Recompute parse_recompute(std::string_view text);

/// Throw ConfigError naming key and value where one makes no sense.
void check(const NoiseConfig& config);
void check(const AdversarialConfig& config);
void check(const TrainingConfig& config);

}  // namespace ascore
