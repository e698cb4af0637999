#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace ascore::tools {

/// One optimizer table, `[score].optimizer` or `[critic].optimizer`.
struct OptimizerSettings {
  std::string name = "adam";
  double lr = 1e-4, beta1 = 0.9, beta2 = 0.999, eps = 1e-8;
  double weight_decay = 0, momentum = 0, alpha = 0.99;
  bool amsgrad = false;
};

/// Everything a run is made of, after defaults, `--set` and derived values: plain data, one member per key of
/// docs/recipes.md. The initialisers here are the defaults; recipe_keys.cpp gives each key its place, limits and words.
struct Recipe {
  int64_t seed = 1234;

  struct Data {
    std::string name = "digits", path;
    int64_t image_size = 0, image_height = 0, channels = 0;  ///< 0 for point data; height 0: image_size
    bool flip = false;
    std::string dequantize = "none", transform = "none";
    double test_fraction = 0.1;
    bool skip_broken = false;
  } data;

  struct Noise {
    double sigma_begin = 50, sigma_end = 0.01;
    int64_t levels = 232;
    std::string spacing = "geometric";
  } noise;

  struct Score {
    std::string name = "ncsnv2";
    int64_t width = 128;
    std::string activation = "elu", norm = "instance_norm_plus", target = "gaussian";
    double last_norm_eps = 0;  ///< 0: as of the other norms
    bool dilation = true, standardize = false, spectral_norm = false, conditional = false;
    std::vector<int64_t> multipliers = {1, 2, 2, 2}, attention_levels = {1};
    int64_t groups = 32;
    double dropout = 0;
    std::string init = "ddpm";
    OptimizerSettings optimizer;
    double ema = 0.9999;
  } score;

  bool has_critic = false;  ///< the recipe has a [critic] table: training is adversarial
  struct Critic {
    std::string name = "biggan";
    int64_t width = 64, attention = 64;
    std::string norm = "batch_norm";
    OptimizerSettings optimizer;
  } critic;

  struct Adversarial {
    std::string loss = "lsgan";
    int64_t critic_steps = 1;
    double lambda_dsm = 1, lambda_generator = 1, lambda_critic = 1;
    bool clamp = true;
  } adversarial;

  bool has_classifier = false;  ///< the recipe has a [classifier] table: no score network, but a classifier is trained
  struct Classifier {
    int64_t classes = 10, width = 16, blocks = 1;
    double lr = 1e-3, weight_decay = 0, ema = 0.99;
  } classifier;

  struct Training {
    int64_t steps = 10000, batch_size = 128, micro_batch = 0;
    std::string recompute = "none";
    std::string loss = "l2";
    int64_t log_every = 50, checkpoint_every = 1000, keep_checkpoints = 5, preview_every = 1000;
    int64_t held_out_every = 500, held_out_samples = 256;
    int64_t check_ranks_every = 100;
    bool cuda_graphs = true;
  } training;

  struct Sampling {
    std::string sampler = "cas";
    int64_t n_sigma = 1, flow_steps = 18;
    double step_size = 0;  ///< 0: by the sampler's rule
    std::string init = "uniform";
    bool noise_first = false;
  } sampling;

  /// Where the recipe came from, for messages: a path, or the name of a shipped recipe.
  std::string source;
};

/// True where a recipe that has what `recipe` has may have keys of that section.
bool has_section(const Recipe& recipe, std::string_view section);

/// True for data sets of points in the plane.
bool is_point_data(const std::string& data_name);

/// Reads the recipe at `name`, a path or (where no such file exists) the name of a shipped recipe, applies the
/// `key=value` overrides, fills derived defaults and checks everything. Throws ConfigError: an unknown key (with the
/// nearest known one), a wrong type, an impossible value or combination; it names file, line and key. DataError if
/// there is neither such a file nor such a shipped recipe.
Recipe load_recipe(const std::string& name, const std::vector<std::string>& overrides = {});

/// The same from text; `source` stands in messages for the file.
Recipe parse_recipe(const std::string& text, const std::string& source, const std::vector<std::string>& overrides = {});

/// The recipe in full, every key written out: what a run folder keeps as recipe.toml. parse_recipe gives it back
/// exactly.
std::string to_toml(const Recipe& recipe);

/// Keys in which two recipes differ ("score.width"), in the table's order.
std::vector<std::string> differing_keys(const Recipe& a, const Recipe& b);

}  // namespace ascore::tools
