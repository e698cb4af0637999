#include "tools/configs.hpp"

#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore::tools {
namespace {

Activation activation(const std::string& text) {
  if (text == "elu") return Activation::elu;
  if (text == "relu") return Activation::relu;
  if (text == "leaky_relu") return Activation::leaky_relu;
  if (text == "silu") return Activation::silu;
  throw ConfigError(fmt::format("score.activation: '{}' is unknown", text));
}

OptimizerConfig optimizer_config(const OptimizerSettings& settings) {
  OptimizerConfig config;
  config.name = settings.name;
  config.lr = settings.lr;
  config.beta1 = settings.beta1;
  config.beta2 = settings.beta2;
  config.eps = settings.eps;
  config.weight_decay = settings.weight_decay;
  config.momentum = settings.momentum;
  config.alpha = settings.alpha;
  config.amsgrad = settings.amsgrad;
  return config;
}

}  // namespace

Shape sample_shape(const Recipe& recipe) {
  if (is_point_data(recipe.data.name)) return {2};
  const Recipe::Data& data = recipe.data;
  return {data.image_height > 0 ? data.image_height : data.image_size, data.image_size, data.channels};
}

DataConfig data_config(const Recipe& recipe) {
  DataConfig config;
  config.name = recipe.data.name;
  config.path = recipe.data.path;
  config.image_size = static_cast<int>(recipe.data.image_size);
  config.image_height = static_cast<int>(recipe.data.image_height);
  config.channels = static_cast<int>(recipe.data.channels);
  config.flip = recipe.data.flip;
  config.dequantize = recipe.data.dequantize;
  config.transform = recipe.data.transform;
  config.test_fraction = recipe.data.test_fraction;
  config.skip_broken = recipe.data.skip_broken;
  return config;
}

NoiseConfig noise_config(const Recipe& recipe) {
  return {.sigma_begin = recipe.noise.sigma_begin,
          .sigma_end = recipe.noise.sigma_end,
          .levels = static_cast<int>(recipe.noise.levels),
          .spacing = parse_spacing(recipe.noise.spacing)};
}

ScoreNetworkConfig score_network_config(const Recipe& recipe) {
  if (recipe.has_classifier) {
    throw ConfigError(fmt::format(
        "{}: is of a classifier, which draws and denoises nothing: give a recipe or a run with a score network",
        recipe.source));
  }
  ScoreNetworkConfig config;
  config.name = recipe.score.name;
  config.sample_shape = sample_shape(recipe);
  config.width = recipe.score.width;
  config.activation = activation(recipe.score.activation);
  config.norm = recipe.score.norm;
  if (recipe.score.last_norm_eps > 0) config.last_norm_eps = recipe.score.last_norm_eps;
  config.dilation = recipe.score.dilation;
  config.standardize = recipe.score.standardize;
  config.spectral_norm = recipe.score.spectral_norm;
  config.conditional = recipe.score.conditional;
  config.dae = recipe.score.target == "dae";
  config.shift_input = recipe.data.transform == "none";
  config.multipliers = recipe.score.multipliers;
  config.attention_levels = recipe.score.attention_levels;
  config.groups = recipe.score.groups;
  config.dropout = recipe.score.dropout;
  config.init = recipe.score.init;
  config.noise = noise_config(recipe);
  return config;
}

CriticConfig critic_config(const Recipe& recipe) {
  CriticConfig config;
  config.name = recipe.critic.name;
  config.sample_shape = sample_shape(recipe);
  config.width = recipe.critic.width;
  config.attention = recipe.critic.attention;
  config.norm = recipe.critic.norm;
  return config;
}

ClassifierConfig classifier_config(const Recipe& recipe) {
  if (!recipe.has_classifier) {
    throw ConfigError(fmt::format("{}: has no [classifier]: give one like `mnist_classifier`", recipe.source));
  }
  return {.sample_shape = sample_shape(recipe),
          .classes = recipe.classifier.classes,
          .width = recipe.classifier.width,
          .blocks = recipe.classifier.blocks};
}

TrainerConfig trainer_config(const Recipe& recipe) {
  TrainerConfig config;
  config.seed = static_cast<uint64_t>(recipe.seed);
  config.noise = noise_config(recipe);
  config.training = {.steps = recipe.training.steps,
                     .batch_size = recipe.training.batch_size,
                     .micro_batch = recipe.training.micro_batch,
                     .recompute = parse_recompute(recipe.training.recompute),
                     .loss = parse_dsm_loss(recipe.training.loss),
                     .checkpoint_every = recipe.training.checkpoint_every,
                     .keep_checkpoints = recipe.training.keep_checkpoints,
                     .preview_every = recipe.training.preview_every,
                     .held_out_every = recipe.training.held_out_every,
                     .held_out_samples = recipe.training.held_out_samples,
                     .log_every = recipe.training.log_every,
                     .check_ranks_every = recipe.training.check_ranks_every,
                     .cuda_graphs = recipe.training.cuda_graphs};
  config.target = parse_score_target(recipe.score.target);
  config.score_optimizer = optimizer_config(recipe.score.optimizer);
  config.ema = recipe.score.ema;
  if (recipe.has_classifier) {
    const OptimizerSettings adam{.lr = recipe.classifier.lr, .weight_decay = recipe.classifier.weight_decay};
    config.score_optimizer = optimizer_config(adam);
    config.ema = recipe.classifier.ema;
  }
  config.critic_optimizer = optimizer_config(recipe.critic.optimizer);
  if (recipe.has_critic) {
    config.adversarial = {.loss = parse_gan_loss(recipe.adversarial.loss),
                          .critic_steps = static_cast<int>(recipe.adversarial.critic_steps),
                          .lambda_dsm = recipe.adversarial.lambda_dsm,
                          .lambda_generator = recipe.adversarial.lambda_generator,
                          .lambda_critic = recipe.adversarial.lambda_critic,
                          .clamp = recipe.adversarial.clamp};
  }
  if (!is_point_data(recipe.data.name)) config.range = image_range(recipe.data.transform);
  config.flip = recipe.data.flip;
  config.recipe = to_toml(recipe);
  return config;
}

SamplingConfig sampling_config(const Recipe& recipe) {
  SamplingConfig config;
  config.sampler = parse_sampler(recipe.sampling.sampler);
  config.n_sigma = static_cast<int>(recipe.sampling.n_sigma);
  config.flow_steps = static_cast<int>(recipe.sampling.flow_steps);
  if (recipe.sampling.step_size > 0) config.step_size = recipe.sampling.step_size;
  config.init = parse_start(recipe.sampling.init);
  config.noise_first = recipe.sampling.noise_first;
  return config;
}

}  // namespace ascore::tools
