#include "engine/training/config.hpp"

#include "kernels/core/error.hpp"

#include <array>
#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace ascore {

namespace {

template <class E, size_t N>
using Names = std::array<std::pair<E, const char*>, N>;

constexpr Names<Spacing, 2> kSpacings{{{Spacing::geometric, "geometric"}, {Spacing::linear, "linear"}}};
constexpr Names<ScoreTarget, 2> kTargets{{{ScoreTarget::gaussian, "gaussian"}, {ScoreTarget::dae, "dae"}}};
constexpr Names<DsmLoss, 3> kDsmLosses{{{DsmLoss::l2, "l2"}, {DsmLoss::l1, "l1"}, {DsmLoss::l1_msssim, "l1_msssim"}}};
constexpr Names<Recompute, 3> kRecomputes{
    {{Recompute::none, "none"}, {Recompute::norm, "norm"}, {Recompute::block, "block"}}};
constexpr Names<GanLoss, 10> kGanLosses{{{GanLoss::gan, "gan"},
                                         {GanLoss::wgan, "wgan"},
                                         {GanLoss::hinge, "hinge"},
                                         {GanLoss::rpgan, "rpgan"},
                                         {GanLoss::ragan, "ragan"},
                                         {GanLoss::lsgan, "lsgan"},
                                         {GanLoss::lsgan_sat, "lsgan_sat"},
                                         {GanLoss::rplsgan, "rplsgan"},
                                         {GanLoss::ralsgan, "ralsgan"},
                                         {GanLoss::rahinge, "rahinge"}}};

template <class E, size_t N>
const char* name_in(const Names<E, N>& names, E value) {
  for (const auto& [candidate, text] : names) {
    if (candidate == value) return text;
  }
  return "?";
}

template <class E, size_t N>
E parse_in(const Names<E, N>& names, const char* what, std::string_view text) {
  std::string known;
  for (const auto& [value, candidate] : names) {
    if (text == candidate) return value;
    known += (known.empty() ? "" : ", ") + std::string(candidate);
  }
  throw ConfigError(fmt::format("unknown {} \"{}\": use one of {}", what, text, known));
}

void require(bool holds, std::string_view key, double value, std::string_view wanted) {
  if (!holds) throw ConfigError(fmt::format("{} = {}: must be {}", key, value, wanted));
}

}  // namespace

const char* name(Spacing spacing) {
  return name_in(kSpacings, spacing);
}
const char* name(ScoreTarget target) {
  return name_in(kTargets, target);
}
const char* name(DsmLoss loss) {
  return name_in(kDsmLosses, loss);
}
const char* name(GanLoss loss) {
  return name_in(kGanLosses, loss);
}
const char* name(Recompute recompute) {
  return name_in(kRecomputes, recompute);
}
Spacing parse_spacing(std::string_view text) {
  return parse_in(kSpacings, "spacing of noise levels", text);
}
ScoreTarget parse_score_target(std::string_view text) {
  return parse_in(kTargets, "target of the score network", text);
}
DsmLoss parse_dsm_loss(std::string_view text) {
  return parse_in(kDsmLosses, "score matching loss", text);
}
GanLoss parse_gan_loss(std::string_view text) {
  return parse_in(kGanLosses, "adversarial loss", text);
}
Recompute parse_recompute(std::string_view text) {
  return parse_in(kRecomputes, "kind of recomputation", text);
}

std::optional<ValueRange> image_range(std::string_view transform) {
  if (transform == "none") return ValueRange{0.0, 1.0};
  if (transform == "rescale") return ValueRange{-1.0, 1.0};
  if (transform == "logit") return std::nullopt;
  throw ConfigError(fmt::format("unknown data transform \"{}\": use one of none, rescale, logit", transform));
}

void check(const NoiseConfig& config) {
  require(std::isfinite(config.sigma_end) && config.sigma_end > 0, "noise.sigma_end", config.sigma_end, "above 0");
  require(std::isfinite(config.sigma_begin) && config.sigma_begin > config.sigma_end, "noise.sigma_begin",
          config.sigma_begin, fmt::format("above noise.sigma_end, which is {}", config.sigma_end));
  require(config.levels >= 2, "noise.levels", config.levels, "at least 2");
}

void check(const AdversarialConfig& config) {
  const auto weight = [](std::string_view key, double value) {
    require(std::isfinite(value) && value >= 0, key, value, "finite and not negative");
  };
  require(config.critic_steps >= 1, "adversarial.critic_steps", config.critic_steps, "at least 1");
  weight("adversarial.lambda_dsm", config.lambda_dsm);
  weight("adversarial.lambda_generator", config.lambda_generator);
  weight("adversarial.lambda_critic", config.lambda_critic);
}

void check(const TrainingConfig& config) {
  const auto at_least = [](std::string_view key, int64_t value, int64_t least) {
    require(value >= least, key, static_cast<double>(value), fmt::format("at least {}", least));
  };
  at_least("training.steps", config.steps, 0);
  at_least("training.batch_size", config.batch_size, 1);
  at_least("training.micro_batch", config.micro_batch, 0);
  at_least("training.checkpoint_every", config.checkpoint_every, 0);
  at_least("training.keep_checkpoints", config.keep_checkpoints, 0);
  at_least("training.preview_every", config.preview_every, 0);
  at_least("training.held_out_every", config.held_out_every, 0);
  at_least("training.held_out_samples", config.held_out_samples, 1);
  at_least("training.log_every", config.log_every, 1);
  at_least("training.check_ranks_every", config.check_ranks_every, 0);
}

}  // namespace ascore
