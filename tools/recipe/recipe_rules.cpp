#include "tools/recipe/recipe_rules.hpp"

#include "kernels/core/error.hpp"
#include "kernels/ms_ssim/ms_ssim.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ascore::tools {
namespace {

/// What the program knows about a data set without opening it.
struct DataFacts {
  std::vector<int64_t> image_sizes;  ///< that it comes in, its own first; empty: what the recipe says
  std::vector<int64_t> channels;     ///< likewise
  bool on_disk, encoded = false;     ///< encoded: image files, any of which may be broken
};

DataFacts facts(const std::string& name) {
  if (name == "digits") return {{8}, {1}, false};
  if (name == "cifar10") return {{32}, {3}, true};
  if (name == "mnist") return {{28, 32}, {1}, true};
  if (name == "stackedmnist") return {{28}, {3}, true};
  if (name == "array") return {{}, {}, true};
  if (name == "folder" || name == "lsun" || name == "celeba" || name == "ffhq") return {{}, {3, 1}, true, true};
  return {{0}, {0}, false};
}

}  // namespace

bool is_point_data(const std::string& data_name) {
  return data_name == "swissroll" || data_name == "gaussians8" || data_name == "gaussians25";
}

bool has_section(const Recipe& recipe, std::string_view section) {
  if (section == "critic" || section == "adversarial") return recipe.has_critic;
  if (section == "classifier") return recipe.has_classifier;
  if (section == "noise" || section == "score" || section == "sampling") return !recipe.has_classifier;
  return true;
}

void derive_defaults(Recipe& recipe, const GivenKeys& given) {
  const auto set = [&](const char* key, auto& member, auto value) {
    if (!given.contains(key)) member = value;
  };
  const bool points = is_point_data(recipe.data.name);
  const DataFacts data = facts(recipe.data.name);
  if (recipe.has_classifier) set("training.preview_every", recipe.training.preview_every, int64_t{0});
  if (!data.image_sizes.empty()) set("data.image_size", recipe.data.image_size, data.image_sizes.front());
  if (!data.channels.empty()) set("data.channels", recipe.data.channels, data.channels.front());
  if (points) {
    set("noise.sigma_begin", recipe.noise.sigma_begin, 4.0);
    set("noise.levels", recipe.noise.levels, int64_t{60});
    set("score.name", recipe.score.name, "mlp");
    set("critic.name", recipe.critic.name, "mlp");
    set("adversarial.clamp", recipe.adversarial.clamp, false);
  }
  if (recipe.score.name == "mlp") {
    set("score.width", recipe.score.width, int64_t{512});
    set("score.activation", recipe.score.activation, "leaky_relu");
    set("score.norm", recipe.score.norm, "none");
    set("score.conditional", recipe.score.conditional, true);
  }
  if (recipe.score.name == "unet") {
    set("score.activation", recipe.score.activation, "silu");
    set("score.norm", recipe.score.norm, "group_norm");
  }
  if (recipe.critic.name == "mlp") set("critic.width", recipe.critic.width, int64_t{512});
  if (recipe.has_critic) {
    set("score.optimizer.beta1", recipe.score.optimizer.beta1, 0.0);
    set("score.optimizer.beta2", recipe.score.optimizer.beta2, 0.9);
  }
  if (recipe.score.target == "dae") set("sampling.sampler", recipe.sampling.sampler, "als");
  if (recipe.sampling.sampler.starts_with("flow_")) set("sampling.init", recipe.sampling.init, "prior");
  set("critic.optimizer.beta1", recipe.critic.optimizer.beta1, -0.5);
  set("critic.optimizer.beta2", recipe.critic.optimizer.beta2, 0.9);
}

namespace {
/// Refuses the recipe because of `key` unless `holds`.
using Require = std::function<void(bool holds, const char* key, const std::string& what)>;

void check_norm(const Recipe::Score& score, const Require& require) {
  const std::string &network = score.name, &norm = score.norm;
  if (network == "mlp") {
    require(norm == "none", "score.norm", "'mlp' has no normalisation: choose 'none'");
  } else if (network == "unet") {
    require(norm == "group_norm", "score.norm", "'unet' has 'group_norm' only");
  } else {
    require(norm != "group_norm", "score.norm", fmt::format("'{}' does not have 'group_norm'", network));
  }
  require(score.last_norm_eps == 0 || norm == "instance_norm" || norm == "batch_norm", "score.last_norm_eps",
          "only 'instance_norm' and 'batch_norm' take it");
}

void check_unet(const Recipe& recipe, const Require& require) {
  const Recipe::Score &score = recipe.score, defaults;
  if (score.name != "unet") {
    const char* what = "only 'unet' has it";
    require(score.multipliers == defaults.multipliers, "score.multipliers", what);
    require(score.attention_levels == defaults.attention_levels, "score.attention_levels", what);
    require(score.groups == defaults.groups, "score.groups", what);
    require(score.dropout == defaults.dropout, "score.dropout", what);
    require(score.init == defaults.init, "score.init", what);
    return;
  }
  constexpr size_t kMostLevels = 16;
  const size_t levels = score.multipliers.size();
  require(levels >= 1 && levels <= kMostLevels, "score.multipliers",
          fmt::format("needs 1 to {} numbers, not {}", kMostLevels, levels));
  const int64_t multiple = int64_t{1} << (levels - 1);
  for (const int64_t side : {recipe.data.image_size, recipe.data.image_height}) {
    require(side % multiple == 0, "score.multipliers",
            fmt::format("{} levels need images whose sides divide by {}, not of {} pixels", levels, multiple, side));
  }
  for (const int64_t level : score.attention_levels) {
    require(level < static_cast<int64_t>(levels), "score.attention_levels",
            fmt::format("there is no level {}: the last is {}", level, levels - 1));
  }
  require(score.width % score.groups == 0, "score.groups",
          fmt::format("score.width {} does not divide by {}", score.width, score.groups));
  require(score.activation == "silu", "score.activation", "'unet' has 'silu' only");
  require(!score.conditional || (score.width % 2 == 0 && score.width >= 4), "score.conditional",
          fmt::format("needs an even score.width of at least 4, not {}", score.width));
}

void check_score(const Recipe& recipe, const Require& require) {
  const Recipe::Score& score = recipe.score;
  const bool points = is_point_data(recipe.data.name), mlp = score.name == "mlp", unet = score.name == "unet";
  require(mlp == points, "score.name",
          fmt::format("'{}' does not take the {} of '{}'; choose '{}'", score.name, points ? "points" : "images",
                      recipe.data.name, points ? "mlp" : "ncsnv2"));
  check_norm(score, require);
  require(mlp || unet || score.width >= 2, "score.width", fmt::format("'{}' needs at least 2", score.name));
  require(mlp || unet || !score.conditional, "score.conditional", "only 'mlp' and 'unet' take the noise level");
  require(!(mlp || unet) || !score.standardize, "score.standardize", fmt::format("'{}' does not have it", score.name));
  require(!(mlp || unet) || !score.spectral_norm, "score.spectral_norm",
          fmt::format("'{}' does not have it", score.name));
  check_unet(recipe, require);
  require(score.target != "dae" || recipe.sampling.sampler != "cas", "sampling.sampler",
          "a network of score.target 'dae' cannot be sampled by 'cas': choose 'als' or a flow");
}

void check_classifier(const Recipe& recipe, const GivenKeys& given, const Require& require) {
  const std::string& data = recipe.data.name;
  for (const char* table : {"noise", "score", "critic", "adversarial", "sampling"}) {
    require(!given.contains(table), table, "a recipe with a [classifier] trains no score network: leave it out");
  }
  require(data == "digits" || data == "mnist" || data == "cifar10" || data == "array", "data.name",
          fmt::format("'{}' has no classes to learn; choose digits, mnist, cifar10 or an array with labels", data));
  require(recipe.data.transform == "none", "data.transform", "a classifier looks at pixels in [0,1]: choose 'none'");
  require(recipe.classifier.width % 8 == 0, "classifier.width",
          fmt::format("must be a multiple of 8, not {}", recipe.classifier.width));
  require(recipe.training.micro_batch == 0, "training.micro_batch", "a classifier looks at whole batches: choose 0");
  require(recipe.training.preview_every == 0, "training.preview_every", "a classifier draws nothing: choose 0");
  require(recipe.training.loss == "l2", "training.loss", "a classifier's is cross-entropy: leave it out");
}

void check_critic(const Recipe& recipe, const Require& require) {
  const Recipe::Critic &critic = recipe.critic, defaults;
  const bool points = is_point_data(recipe.data.name);
  require((critic.name == "mlp") == points, "critic.name",
          fmt::format("'{}' does not take the {} of '{}'; choose '{}'", critic.name, points ? "points" : "images",
                      recipe.data.name, points ? "mlp" : "biggan"));
  require(critic.name == "dcgan" || critic.norm == defaults.norm, "critic.norm", "only 'dcgan' has it");
  require(critic.name == "biggan" || critic.attention == defaults.attention, "critic.attention",
          "only 'biggan' has it");
  constexpr std::array<int64_t, 7> kNominalSizes{0, 4, 8, 16, 32, 64, 128};
  require(std::ranges::find(kNominalSizes, critic.attention) != kNominalSizes.end(), "critic.attention",
          fmt::format("no block of 'biggan' has the nominal size {}: choose one of {}", critic.attention,
                      fmt::join(kNominalSizes, ", ")));
  require(!(points && recipe.adversarial.clamp), "adversarial.clamp", "points have no range to clamp to");
}
}  // namespace

void check_rules(const Recipe& recipe, const GivenKeys& given) {
  const Require require = [&](bool holds, const char* key, const std::string& what) {
    if (holds) return;
    const auto place = given.find(key);
    throw ConfigError(fmt::format("{}: {}: {}", place == given.end() ? recipe.source : place->second, key, what));
  };
  const auto& [name, path, image_size, image_height, channels, flip, dequantize, transform, test_fraction,
               skip_broken] = recipe.data;
  const bool points = is_point_data(name);
  const DataFacts data = facts(name);
  require(!data.on_disk || !path.empty(), "data.path", fmt::format("'{}' is read from disk: say where", name));
  if (data.image_sizes.empty()) {
    require(image_size > 0, "data.image_size", fmt::format("'{}' holds images of any size: say which", name));
  } else {
    require(std::ranges::find(data.image_sizes, image_size) != data.image_sizes.end(), "data.image_size",
            fmt::format("'{}' has {}, not {}", name,
                        points ? "no pixels (0)" : fmt::format("{} pixels a side", fmt::join(data.image_sizes, " or ")),
                        image_size));
  }
  require(image_height == 0 || image_height == image_size || name == "array" || name == "folder" || name == "lsun",
          "data.image_height", fmt::format("'{}' has square images", name));
  if (data.channels.empty()) {
    require(channels > 0, "data.channels", fmt::format("'{}' holds images of any channels: say how many", name));
  } else {
    require(std::ranges::find(data.channels, channels) != data.channels.end(), "data.channels",
            fmt::format("'{}' has {}, not {}", name, fmt::join(data.channels, " or "), channels));
  }
  require(!skip_broken || data.encoded, "data.skip_broken", fmt::format("'{}' has no image files", name));
  require(!(points && flip), "data.flip", "points cannot be flipped");
  require(!points || dequantize == "none", "data.dequantize", "points have no grey levels: choose 'none'");
  require(!points || transform == "none", "data.transform", "points are not transformed: choose 'none'");

  if (recipe.has_classifier) return check_classifier(recipe, given, require);
  require(recipe.noise.sigma_begin > recipe.noise.sigma_end, "noise.sigma_begin",
          fmt::format("must be above noise.sigma_end = {}", recipe.noise.sigma_end));

  const int64_t shorter = image_height > 0 ? std::min(image_height, image_size) : image_size;
  require(recipe.training.loss != "l1_msssim" || shorter > kernels::kMsSsimSide, "training.loss",
          fmt::format("'l1_msssim' compares images at five resolutions: their sides must be above {} pixels, not {}",
                      kernels::kMsSsimSide, shorter));

  check_score(recipe, require);
  if (!recipe.has_critic) {
    require(!given.contains("adversarial"), "adversarial", "there is no [critic] to play against");
    return;
  }
  check_critic(recipe, require);
}

}  // namespace ascore::tools
