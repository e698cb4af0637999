#include "tools/recipe/recipe_keys.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace ascore::tools {
namespace {

/// Bounds that no use comes near; beyond them numbers of steps would overflow.
constexpr double kMostLevels = 100'000, kMostSteps = 10'000, kMostMultiplier = 1024, kLastLevel = 15;

#define ASCORE_SLOT(member) [](Recipe& r) -> Slot { return &r.member; }

std::vector<RecipeKey> make_keys() {
  std::vector<RecipeKey> keys;
  const auto flag = [&](std::string_view path, auto slot, std::string_view doc, std::string_view derived = {}) {
    keys.push_back({.path = path, .slot = slot, .doc = doc, .derived = derived});
  };
  const auto at_least = [&](double low, std::string_view path, auto slot, std::string_view doc,
                            std::string_view derived = {}) {
    keys.push_back({.path = path, .slot = slot, .doc = doc, .low = low, .derived = derived});
  };
  const auto positive = [&](std::string_view path, auto slot, std::string_view doc, std::string_view derived = {}) {
    keys.push_back({.path = path, .slot = slot, .doc = doc, .low = 0, .open_low = true, .derived = derived});
  };
  const auto one_of = [&](std::string_view path, auto slot, std::vector<std::string_view> choices,
                          std::vector<std::string_view> later, std::string_view doc, std::string_view derived = {}) {
    keys.push_back({.path = path, .slot = slot, .doc = doc, .choices = choices, .later = later, .derived = derived});
  };

  at_least(0, "seed", ASCORE_SLOT(seed), "key of all random numbers of the run");

  one_of("data.name", ASCORE_SLOT(data.name),
         {"swissroll", "gaussians8", "gaussians25", "digits", "cifar10", "mnist", "stackedmnist", "array", "folder",
          "lsun", "celeba", "ffhq"},
         {}, "data set; `digits` (8x8) and the point sets are part of the program");
  keys.push_back({.path = "data.path",
                  .slot = ASCORE_SLOT(data.path),
                  .doc = "where the data are: cifar10: the folder of data_batch_1.bin, or the .tar.gz; mnist, "
                         "stackedmnist: the folder of the idx files; array: a .npy or .npz file; folder: a folder of "
                         "images, or a .zip; lsun, celeba, ffhq: see below"});
  at_least(
      0, "data.image_size", ASCORE_SLOT(data.image_size),
      "height and width in pixels; mnist: 28, or 32 with a black margin; array, folder, lsun, celeba, ffhq: must be "
      "given",
      "the data set's own; 0 for points");
  at_least(0, "data.image_height", ASCORE_SLOT(data.image_height),
           "array, folder, lsun: height in pixels where it is not `image_size`, which is the width then");
  at_least(0, "data.channels", ASCORE_SLOT(data.channels),
           "channels of an image; array: must be given; folder, lsun, celeba, ffhq: 3 or 1",
           "the data set's own; 0 for points");
  flag("data.flip", ASCORE_SLOT(data.flip), "flip half of the training images left to right");
  one_of("data.dequantize", ASCORE_SLOT(data.dequantize), {"none", "uniform", "gaussian"}, {},
         "noise added to 8-bit pixels before training");
  one_of("data.transform", ASCORE_SLOT(data.transform), {"none", "rescale", "logit"}, {},
         "what pixels in [0,1] are mapped to before training");
  keys.push_back(
      {.path = "data.test_fraction",
       .slot = ASCORE_SLOT(data.test_fraction),
       .doc = "share held out where the data set has no test part of its own (digits; array without test_images; "
              "folder; ffhq)",
       .low = 0,
       .high = 1,
       .open_high = true});
  flag("data.skip_broken", ASCORE_SLOT(data.skip_broken),
       "folder, lsun, celeba, ffhq: decode every image first, and leave out those that are broken");

  positive("noise.sigma_begin", ASCORE_SLOT(noise.sigma_begin), "largest noise level", "50; points 4");
  positive("noise.sigma_end", ASCORE_SLOT(noise.sigma_end), "smallest noise level");
  keys.push_back({.path = "noise.levels",
                  .slot = ASCORE_SLOT(noise.levels),
                  .doc = "number of noise levels",
                  .low = 2,
                  .high = kMostLevels,
                  .derived = "232; points 60"});
  one_of("noise.spacing", ASCORE_SLOT(noise.spacing), {"geometric", "linear"}, {}, "how the levels are spaced");

  one_of("score.name", ASCORE_SLOT(score.name), {"mlp", "ncsnv2", "ncsnv2_deeper", "ncsnv2_deepest", "unet"}, {},
         "score network: `mlp` for points; `ncsnv2`, its deeper variants and `unet` for images", "by the data");
  at_least(1, "score.width", ASCORE_SLOT(score.width), "base width: ngf of ncsnv2, ch of unet, hidden units of mlp",
           "128; mlp 512");
  one_of("score.activation", ASCORE_SLOT(score.activation), {"elu", "relu", "leaky_relu", "silu"}, {},
         "activation function; unet has silu", "elu; mlp leaky_relu; unet silu");
  one_of("score.norm", ASCORE_SLOT(score.norm),
         {"instance_norm_plus", "instance_norm", "batch_norm", "variance_norm", "group_norm", "none"}, {},
         "normalisation: of ncsnv2 any but group_norm, of unet group_norm, of mlp none",
         "instance_norm_plus; mlp none; unet group_norm");
  keys.push_back({.path = "score.last_norm_eps",
                  .slot = ASCORE_SLOT(score.last_norm_eps),
                  .doc = "ncsnv2 family with instance_norm or batch_norm: eps of the last one, which the original "
                         "implementation gives its number of levels (`convert` sets it so); 0: 1e-5 as the others",
                  .low = 0});
  one_of("score.target", ASCORE_SLOT(score.target), {"gaussian", "dae"}, {},
         "what the network estimates: minus the noise, or the clean sample");
  flag("score.dilation", ASCORE_SLOT(score.dilation),
       "ncsnv2 family: dilated convolutions instead of pooling in the last two stages");
  flag("score.standardize", ASCORE_SLOT(score.standardize),
       "ncsnv2 family: divide the output by its variance over the whole batch");
  flag("score.spectral_norm", ASCORE_SLOT(score.spectral_norm),
       "ncsnv2 family: divide every convolution's weight by its largest singular value, as PyTorch does");
  flag("score.conditional", ASCORE_SLOT(score.conditional), "mlp, unet: the network is given the noise level",
       "true for mlp, else false");
  keys.push_back({.path = "score.multipliers",
                  .slot = ASCORE_SLOT(score.multipliers),
                  .doc = "unet: width of each level, in units of `width`; resolution halves from level to level",
                  .low = 1,
                  .high = kMostMultiplier});
  keys.push_back({.path = "score.attention_levels",
                  .slot = ASCORE_SLOT(score.attention_levels),
                  .doc = "unet: levels with attention, the first is 0",
                  .low = 0,
                  .high = kLastLevel});
  at_least(1, "score.groups", ASCORE_SLOT(score.groups), "unet: groups of every normalisation; `width` divides by it");
  keys.push_back({.path = "score.dropout",
                  .slot = ASCORE_SLOT(score.dropout),
                  .doc = "unet: share of channels dropped in every residual block while training",
                  .low = 0,
                  .high = 1,
                  .open_high = true});
  one_of("score.init", ASCORE_SLOT(score.init), {"ddpm", "original"}, {},
         "unet: how weights start: as in DDPM, or as in the original implementation");
  const auto optimizer = [&](auto network, std::string_view beta1_default, std::string_view beta2_default) {
    constexpr bool critic = decltype(network)::value;
    const auto text = [](const char* of_score, const char* of_critic) { return critic ? of_critic : of_score; };
#define ASCORE_OPTIMIZER(member) \
  [](Recipe& r) -> Slot { return critic ? &r.critic.optimizer.member : &r.score.optimizer.member; }
    one_of(text("score.optimizer.name", "critic.optimizer.name"), ASCORE_OPTIMIZER(name), {"adam", "rmsprop", "sgd"},
           {}, "update rule");
    positive(text("score.optimizer.lr", "critic.optimizer.lr"), ASCORE_OPTIMIZER(lr), "learning rate");
    keys.push_back({.path = text("score.optimizer.beta1", "critic.optimizer.beta1"),
                    .slot = ASCORE_OPTIMIZER(beta1),
                    .doc = "Adam: decay of the first moment; may be negative",
                    .low = -1,
                    .high = 1,
                    .open_low = true,
                    .open_high = true,
                    .derived = beta1_default});
    keys.push_back({.path = text("score.optimizer.beta2", "critic.optimizer.beta2"),
                    .slot = ASCORE_OPTIMIZER(beta2),
                    .doc = "Adam: decay of the second moment",
                    .low = 0,
                    .high = 1,
                    .open_high = true,
                    .derived = beta2_default});
    positive(text("score.optimizer.eps", "critic.optimizer.eps"), ASCORE_OPTIMIZER(eps),
             "Adam, RMSProp: added to the root of the second moment");
    at_least(0, text("score.optimizer.weight_decay", "critic.optimizer.weight_decay"), ASCORE_OPTIMIZER(weight_decay),
             "this times the parameter is added to its gradient");
    flag(text("score.optimizer.amsgrad", "critic.optimizer.amsgrad"), ASCORE_OPTIMIZER(amsgrad),
         "Adam: use the largest second moment so far");
    keys.push_back({.path = text("score.optimizer.momentum", "critic.optimizer.momentum"),
                    .slot = ASCORE_OPTIMIZER(momentum),
                    .doc = "SGD: momentum",
                    .low = 0,
                    .high = 1,
                    .open_high = true});
    keys.push_back({.path = text("score.optimizer.alpha", "critic.optimizer.alpha"),
                    .slot = ASCORE_OPTIMIZER(alpha),
                    .doc = "RMSProp: decay of the second moment",
                    .low = 0,
                    .high = 1,
                    .open_high = true});
#undef ASCORE_OPTIMIZER
  };
  optimizer(std::false_type{}, "0.9; with a critic 0", "0.999; with a critic 0.9");
  keys.push_back({.path = "score.ema",
                  .slot = ASCORE_SLOT(score.ema),
                  .doc = "decay of the moving average of the parameters, which samples are drawn with",
                  .low = 0,
                  .high = 1,
                  .open_high = true});

  one_of("critic.name", ASCORE_SLOT(critic.name), {"mlp", "biggan", "dcgan"}, {},
         "critic: `mlp` for points; for images `biggan` (larger side 8, 16, 28, 32, 64, 128 or 256 pixels) or `dcgan` "
         "(sides that are multiples of 8)",
         "by the data");
  at_least(1, "critic.width", ASCORE_SLOT(critic.width),
           "base width: ch of biggan, first layers of dcgan, hidden units of mlp", "64; mlp 512");
  at_least(
      0, "critic.attention", ASCORE_SLOT(critic.attention),
      "biggan: attention after its blocks of this nominal size (64: in the tables of 128 and 256 pixels); 0: none");
  one_of("critic.norm", ASCORE_SLOT(critic.norm), {"batch_norm", "spectral_norm", "none"}, {},
         "dcgan: normalisation after or of its convolutions");
  optimizer(std::true_type{}, "-0.5", "0.9");

  one_of("adversarial.loss", ASCORE_SLOT(adversarial.loss),
         {"gan", "wgan", "hinge", "rpgan", "ragan", "lsgan", "lsgan_sat", "rplsgan", "ralsgan", "rahinge"}, {},
         "the game of score network and critic");
  keys.push_back({.path = "adversarial.critic_steps",
                  .slot = ASCORE_SLOT(adversarial.critic_steps),
                  .doc = "critic updates before each update of the score network, each on a batch of its own",
                  .low = 1,
                  .high = kMostSteps});
  at_least(0, "adversarial.lambda_dsm", ASCORE_SLOT(adversarial.lambda_dsm), "weight of denoising score matching");
  at_least(0, "adversarial.lambda_generator", ASCORE_SLOT(adversarial.lambda_generator),
           "weight of the score network's part of the game");
  at_least(0, "adversarial.lambda_critic", ASCORE_SLOT(adversarial.lambda_critic), "weight of the critic's loss");
  flag("adversarial.clamp", ASCORE_SLOT(adversarial.clamp),
       "clamp denoised images to the range of the data before the critic sees them", "true; points false");

  at_least(2, "classifier.classes", ASCORE_SLOT(classifier.classes), "classes that the data's labels tell apart");
  at_least(8, "classifier.width", ASCORE_SLOT(classifier.width),
           "channels at full resolution, a multiple of 8; four times as many at the end, which are the features");
  at_least(1, "classifier.blocks", ASCORE_SLOT(classifier.blocks), "residual blocks at each of three resolutions");
  positive("classifier.lr", ASCORE_SLOT(classifier.lr), "learning rate of Adam");
  at_least(0, "classifier.weight_decay", ASCORE_SLOT(classifier.weight_decay),
           "this times the parameter is added to its gradient");
  keys.push_back({.path = "classifier.ema",
                  .slot = ASCORE_SLOT(classifier.ema),
                  .doc = "decay of the moving average of the parameters, which images are looked at with",
                  .low = 0,
                  .high = 1,
                  .open_high = true});

  at_least(0, "training.steps", ASCORE_SLOT(training.steps), "updates of the score network in all");
  at_least(1, "training.batch_size", ASCORE_SLOT(training.batch_size), "samples per update");
  at_least(0, "training.micro_batch", ASCORE_SLOT(training.micro_batch),
           "samples in memory at once: a batch in parts, of the same loss; less memory; 0: whole batches");
  one_of("training.recompute", ASCORE_SLOT(training.recompute), {"none", "norm", "block"}, {},
         "what backward computes again instead of keeping it: less memory, more time, the same bits");
  one_of("training.loss", ASCORE_SLOT(training.loss), {"l2", "l1", "l1_msssim"}, {},
         "denoising score matching loss; l1_msssim: images of sides above 160 only");
  at_least(1, "training.log_every", ASCORE_SLOT(training.log_every),
           "steps between lines of metrics.jsonl, and between looks at the losses");
  at_least(0, "training.checkpoint_every", ASCORE_SLOT(training.checkpoint_every),
           "steps between checkpoints; 0: only the first and the last");
  at_least(0, "training.keep_checkpoints", ASCORE_SLOT(training.keep_checkpoints),
           "how many of the newest checkpoints stay; 0: all");
  at_least(0, "training.preview_every", ASCORE_SLOT(training.preview_every),
           "steps between preview pictures in samples/; 0: none");
  at_least(0, "training.held_out_every", ASCORE_SLOT(training.held_out_every),
           "steps between measurements of the loss on held-out data; 0: none");
  at_least(1, "training.held_out_samples", ASCORE_SLOT(training.held_out_samples),
           "held-out samples that a measurement uses, at most");
  at_least(0, "training.check_ranks_every", ASCORE_SLOT(training.check_ranks_every),
           "several ranks: steps between comparisons of their parameters; 0: none");
  flag("training.cuda_graphs", ASCORE_SLOT(training.cuda_graphs),
       "cuda, simt: training and sampling steps are captured once and replayed; changes no bit of a result");

  one_of("sampling.sampler", ASCORE_SLOT(sampling.sampler), {"cas", "als", "flow_euler", "flow_heun"}, {},
         "consistent annealed sampling, annealed Langevin sampling, or the probability flow",
         "cas; als for target dae");
  keys.push_back({.path = "sampling.n_sigma",
                  .slot = ASCORE_SLOT(sampling.n_sigma),
                  .doc = "cas, als: steps per noise level",
                  .low = 1,
                  .high = kMostSteps});
  keys.push_back({.path = "sampling.flow_steps",
                  .slot = ASCORE_SLOT(sampling.flow_steps),
                  .doc = "flow_euler, flow_heun: levels between sigma_begin and sigma_end, of their own spacing",
                  .low = 1,
                  .high = kMostSteps});
  at_least(0, "sampling.step_size", ASCORE_SLOT(sampling.step_size),
           "cas, als: step size at the last level; 0: by rule");
  one_of("sampling.init", ASCORE_SLOT(sampling.init), {"uniform", "prior", "data"}, {},
         "what sampling starts from: uniform pixels, noise of sigma_begin, or training data with that noise",
         "uniform; flows prior");
  flag("sampling.noise_first", ASCORE_SLOT(sampling.noise_first), "als: noise before each step instead of after it");
  return keys;
}

/// Edits (insert, delete, replace, swap neighbours) that turn `a` into `b`.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i) {
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

std::string in_quotes(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\u{:04x}", static_cast<int>(c));
      continue;
    }
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

}  // namespace

std::string_view RecipeKey::section() const {
  const size_t dot = path.find('.');
  return dot == std::string_view::npos ? std::string_view{} : path.substr(0, dot);
}

std::string_view RecipeKey::name() const {
  const size_t dot = path.find('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

std::span<const RecipeKey> recipe_keys() {
  static const std::vector<RecipeKey> keys = make_keys();
  return keys;
}

const RecipeKey* find_recipe_key(std::string_view path) {
  const auto keys = recipe_keys();
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const RecipeKey& key) { return key.path == path; });
  return found == keys.end() ? nullptr : &*found;
}

std::string_view nearest_recipe_key(std::string_view path) {
  constexpr size_t kLongest = 100;  // no key is as long; the time grows with the length
  path = path.substr(0, kLongest);
  // A key under the wrong table is nearer than one of another name: its last part counts too.
  const auto last = [](std::string_view text) { return text.substr(text.rfind('.') + 1); };
  std::string_view best;
  size_t least = std::numeric_limits<size_t>::max();
  for (const RecipeKey& key : recipe_keys()) {
    const size_t whole = 2 * distance(path, key.path), part = 2 * distance(last(path), last(key.path)) + 3;
    if (std::min(whole, part) < least) {
      least = std::min(whole, part);
      best = key.path;
    }
  }
  return best;
}

std::string_view type_name(const RecipeKey& key) {
  Recipe recipe;
  static constexpr std::string_view kNames[] = {"true or false", "integer", "number", "text", "list of integers"};
  return kNames[key.slot(recipe).index()];
}

std::string toml_value(const Slot& slot) {
  if (const auto* flag = std::get_if<bool*>(&slot)) return **flag ? "true" : "false";
  if (const auto* integer = std::get_if<int64_t*>(&slot)) return fmt::format("{}", **integer);
  if (const auto* text = std::get_if<std::string*>(&slot)) return in_quotes(**text);
  if (const auto* list = std::get_if<std::vector<int64_t>*>(&slot)) {
    return fmt::format("[{}]", fmt::join(**list, ", "));
  }
  const std::string number = fmt::format("{}", **std::get_if<double*>(&slot));  // shortest that reads back exactly
  return number.find_first_of(".en") == std::string::npos ? number + ".0" : number;
}

std::string documentation_row(const RecipeKey& key) {
  Recipe defaults;
  const Slot slot = key.slot(defaults);
  std::string meaning(key.doc);
  if (!key.choices.empty()) meaning += fmt::format("; one of `{}`", fmt::join(key.choices, "`, `"));
  if (key.low > -1e300 || key.high < 1e300) {
    if (key.high > 1e300 && key.low == 0) {
      meaning += key.open_low ? "; above 0" : "; 0 or more";
    } else if (key.high > 1e300) {
      meaning += fmt::format("; at least {}", key.low);
    } else {
      meaning += fmt::format("; in {}{}, {}{}", key.open_low ? '(' : '[', key.low, key.high, key.open_high ? ')' : ']');
    }
  }
  const std::string value = key.derived.empty() ? fmt::format("`{}`", toml_value(slot)) : std::string(key.derived);
  return fmt::format("| `{}` | {} | {} | {} |", key.name(), type_name(key), value, meaning);
}

}  // namespace ascore::tools
