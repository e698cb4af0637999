#include "tools/recipe/recipe_rules.hpp"

#include "kernels/core/error.hpp"
#include "kernels/ms_ssim/ms_ssim.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ascore::tools {
namespace {

/// What the program knows about a data set without opening it.
struct DataFacts {
  std::vector<int64_t> image_sizes;  ///< that it comes in, its own first; empty: what the recipe says
  int64_t channels;                  ///< 0: what the recipe says
  bool on_disk;
};

DataFacts facts(const std::string& name) {
  if (name == "digits") return {{8}, 1, false};
  if (name == "cifar10") return {{32}, 3, true};
  if (name == "mnist") return {{28, 32}, 1, true};
  if (name == "array") return {{}, 0, true};
  return {{0}, 0, false};
}

}  // namespace

bool is_point_data(const std::string& data_name) {
  return data_name == "swissroll" || data_name == "gaussians8" || data_name == "gaussians25";
}

void derive_defaults(Recipe& recipe, const GivenKeys& given) {
  const auto set = [&](const char* key, auto& member, auto value) {
    if (!given.contains(key)) member = value;
  };
  const bool points = is_point_data(recipe.data.name);
  const DataFacts data = facts(recipe.data.name);
  if (!data.image_sizes.empty()) set("data.image_size", recipe.data.image_size, data.image_sizes.front());
  set("data.channels", recipe.data.channels, data.channels);
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
  if (recipe.critic.name == "mlp") set("critic.width", recipe.critic.width, int64_t{512});
  if (recipe.has_critic) {
    set("score.optimizer.beta1", recipe.score.optimizer.beta1, 0.0);
    set("score.optimizer.beta2", recipe.score.optimizer.beta2, 0.9);
  }
  if (recipe.sampling.sampler.starts_with("flow_")) set("sampling.init", recipe.sampling.init, "prior");
  set("critic.optimizer.beta1", recipe.critic.optimizer.beta1, -0.5);
  set("critic.optimizer.beta2", recipe.critic.optimizer.beta2, 0.9);
}

void check_rules(const Recipe& recipe, const GivenKeys& given) {
  const auto require = [&](bool holds, const char* key, const std::string& what) {
    if (holds) return;
    const auto place = given.find(key);
    throw ConfigError(fmt::format("{}: {}: {}", place == given.end() ? recipe.source : place->second, key, what));
  };
  const auto& [name, path, image_size, channels, flip, dequantize, transform, test_fraction] = recipe.data;
  const bool points = is_point_data(name);
  const DataFacts data = facts(name);
  require(!data.on_disk || !path.empty(), "data.path", fmt::format("'{}' is read from disk: say where", name));
  if (data.image_sizes.empty()) {
    require(image_size > 0, "data.image_size", fmt::format("'{}' holds images of any size: say which", name));
    require(channels > 0, "data.channels", fmt::format("'{}' holds images of any channels: say how many", name));
  } else {
    require(std::ranges::find(data.image_sizes, image_size) != data.image_sizes.end(), "data.image_size",
            fmt::format("'{}' has {}, not {}", name,
                        points ? "no pixels (0)" : fmt::format("{} pixels a side", fmt::join(data.image_sizes, " or ")),
                        image_size));
    require(channels == data.channels, "data.channels",
            fmt::format("'{}' has {}, not {}", name, data.channels, channels));
  }
  require(!(points && flip), "data.flip", "points cannot be flipped");
  require(!points || dequantize == "none", "data.dequantize", "points have no grey levels: choose 'none'");
  require(!points || transform == "none", "data.transform", "points are not transformed: choose 'none'");

  require(recipe.noise.sigma_begin > recipe.noise.sigma_end, "noise.sigma_begin",
          fmt::format("must be above noise.sigma_end = {}", recipe.noise.sigma_end));

  require(recipe.training.loss != "l1_msssim" || image_size > kernels::kMsSsimSide, "training.loss",
          fmt::format("'l1_msssim' compares images at five resolutions: their sides must be above {} pixels, not {}",
                      kernels::kMsSsimSide, image_size));

  const Recipe::Score& score = recipe.score;
  const bool mlp = score.name == "mlp";
  require(mlp == points, "score.name",
          fmt::format("'{}' does not take the {} of '{}'; choose '{}'", score.name, points ? "points" : "images", name,
                      points ? "mlp" : "ncsnv2"));
  require((score.norm == "none") == mlp, "score.norm",
          fmt::format("'{}' has {}", score.name,
                      mlp ? "no normalisation: choose 'none'" : "'instance_norm_plus' only in this version"));
  require(mlp || score.width >= 2, "score.width", fmt::format("'{}' needs at least 2", score.name));
  require(mlp || !score.conditional, "score.conditional", "only 'mlp' takes sigma as an input");
  require(!score.standardize, "score.standardize", "true is not available in this version");

  if (!recipe.has_critic) {
    require(!given.contains("adversarial"), "adversarial", "there is no [critic] to play against");
    return;
  }
  require((recipe.critic.name == "mlp") == points, "critic.name",
          fmt::format("'{}' does not take the {} of '{}'; choose '{}'", recipe.critic.name,
                      points ? "points" : "images", name, points ? "mlp" : "biggan"));
  require(!(points && recipe.adversarial.clamp), "adversarial.clamp", "points have no range to clamp to");
}

}  // namespace ascore::tools
