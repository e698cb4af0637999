#include "models/unet.hpp"

#include "kernels/core/error.hpp"
#include "kernels/wave_embedding/wave_embedding.hpp"
#include "models/unet_blocks.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ascore {

namespace {
constexpr int64_t kDefaultWidth = 128;
constexpr int kDownBlocks = 2, kUpBlocks = 3;  // per level
constexpr double kNearlyZero = 1e-10;          // scale of layers that close a residual path
constexpr double kLongestWave = 1e4;           // of the embedding, in levels

/// Names of a PyTorch ModuleList, which counts all its modules, whatever they are: downblocks.0, downblocks.1, ...
struct ListNames {
  const char* list;
  int count = 0;
  std::string next() { return fmt::format("{}.{}", list, count++); }
};

/// The two initialisations, for the way down and for the rest.
struct Inits {
  UNetInit down, rest;
  LayerInit embedding, end;
};
Inits inits(const std::string& name) {
  const LayerInit one = LayerInit::xavier_uniform(1), half = LayerInit::xavier_uniform(0.5);
  const LayerInit zero = LayerInit::xavier_uniform(kNearlyZero), half_zero = LayerInit::xavier_uniform(kNearlyZero / 2);
  if (name == "ddpm") {
    const UNetInit all{.conv = one, .closing = zero, .projection = one, .attention_out = zero};
    return {.down = all, .rest = all, .embedding = one, .end = zero};
  }
  if (name == "original") {
    return {.down = {.conv = half, .closing = half, .projection = half, .attention_out = half_zero},
            .rest = {.conv = {}, .closing = {}, .projection = half, .attention_out = half_zero},
            .embedding = half,
            .end = {}};
  }
  throw ConfigError(fmt::format("score network unet: init '{}' is not known; use ddpm or original", name));
}

void check(const ScoreNetworkConfig& config, int64_t ch) {
  const auto require = [](bool holds, const std::string& what) {
    if (!holds) throw ConfigError("score network unet: " + what);
  };
  const auto levels = static_cast<int64_t>(config.multipliers.size());
  require(levels >= 1 && levels <= 16 && std::ranges::all_of(config.multipliers, [](int64_t m) { return m >= 1; }),
          fmt::format("multipliers [{}] must be 1 to 16 numbers of at least 1", fmt::join(config.multipliers, ", ")));
  require(std::ranges::all_of(config.attention_levels, [&](int64_t level) { return level >= 0 && level < levels; }),
          fmt::format("attention_levels [{}] must be among the levels 0 to {}",
                      fmt::join(config.attention_levels, ", "), levels - 1));
  const Shape& sample = config.sample_shape;
  const int64_t multiple = int64_t{1} << (levels - 1);
  require(sample.rank() == 3 && sample[0] % multiple == 0 && sample[1] % multiple == 0,
          fmt::format("with {} levels needs images [H,W,C] whose sides divide by {}, not {}", levels, multiple,
                      to_string(sample)));
  require(config.groups >= 1 && ch % config.groups == 0,
          fmt::format("width {} must divide by groups {}", ch, config.groups));
  require(config.dropout >= 0 && config.dropout < 1, fmt::format("dropout {} must be in [0, 1)", config.dropout));
  require(!config.conditional || (ch % 2 == 0 && ch >= 4),
          fmt::format("a conditional one needs an even width of at least 4, not {}", ch));
  require(config.norm.value_or("group_norm") == "group_norm", "has no norm but group_norm");
  require(config.activation.value_or(Activation::silu) == Activation::silu, "the activation is silu");
  require(!config.standardize, "has no standardize; set it to false");
  require(!config.spectral_norm, "has no spectral_norm; set it to false");
}
}  // namespace

namespace {
kernels::LevelScale level_scale(const NoiseConfig& noise) {
  return {.begin = noise.sigma_begin,
          .end = noise.sigma_end,
          .levels = noise.levels,
          .linear = noise.spacing == Spacing::linear};
}
}  // namespace

double level_index(const NoiseConfig& noise, double sigma) {
  return kernels::level_place(level_scale(noise), sigma);
}

Tensor UNet::Unit::operator()(Ctx& ctx, const Tensor& x, const Tensor& embedding, const Tensor& skip) const {
  const Tensor h = block->forward(ctx, x, embedding, skip);
  return attention ? attention->forward(ctx, h) : h;
}

UNet::UNet(const ScoreNetworkConfig& config)
    : width_(config.width ? config.width : kDefaultWidth), conditional_(config.conditional), noise_(config.noise) {
  check(config, width_);
  const Inits init = inits(config.init);
  const int64_t channels = config.sample_shape[2], embedding = 4 * width_;
  const UNetStyle style{
      .groups = config.groups, .dropout = config.dropout, .embedding = config.conditional ? embedding : 0};
  const auto width_of = [&](size_t level) { return width_ * config.multipliers[level]; };
  const auto attends = [&](size_t level) {
    return std::ranges::count(config.attention_levels, static_cast<int64_t>(level)) > 0;
  };

  uint32_t blocks = 0;
  const auto unit = [&](ListNames& name, int64_t in, int64_t out, bool attention, const UNetInit& of) {
    UNetBlock* block = add<UNetBlock>(name.next(), in, out, style, of, blocks++);
    return Unit{block, attention ? add<UNetAttention>(name.next(), out, style, of) : nullptr};
  };

  ListNames down{"downblocks"}, middle{"middleblocks"}, up{"upblocks"};
  begin_ = add<Conv2d>(down.next(), channels, width_, 3, 1, true, 1, init.down.conv);
  std::vector<int64_t> skips = {width_};
  int64_t h = width_;
  const size_t levels = config.multipliers.size();
  for (size_t level = 0; level < levels; ++level) {
    Level made{{}, nullptr};
    for (int i = 0; i < kDownBlocks; ++i) {
      made.units.push_back(unit(down, h, width_of(level), attends(level), init.down));
      skips.push_back(h = width_of(level));
    }
    if (level + 1 < levels) {
      made.resample = add<Conv2d>(down.next(), h, h, 3, 1, true, 2, init.down.conv);
      skips.push_back(h);
    }
    down_.push_back(std::move(made));
  }

  middle_ = {unit(middle, h, h, true, init.rest), unit(middle, h, h, false, init.rest)};

  for (size_t level = levels; level-- > 0;) {
    Level made{{}, nullptr};
    for (int i = 0; i < kUpBlocks; ++i) {
      made.units.push_back(unit(up, h + skips.back(), width_of(level), attends(level), init.rest));
      skips.pop_back();
      h = width_of(level);
    }
    if (level > 0) made.resample = add<UNetUpsample>(up.next(), h, init.rest.conv);
    up_.push_back(std::move(made));
  }

  normalize_ = add<GroupNorm>("normalize", h, config.groups, kUNetNormEps, Activation::silu);
  end_ = add<Conv2d>("out", h, channels, 3, 1, true, 1, init.end);
  embed0_ = add<Linear>("temb_dense.0", width_, embedding, init.embedding);
  embed2_ = add<Linear>("temb_dense.2", embedding, embedding, init.embedding);
}

/// sin and cos of the level's index in waves of 2 pi to 2 pi 10^4 levels, through two layers: [N] -> [N,4 ch].
Tensor UNet::embedding(Ctx& ctx, const Tensor& sigma) const {
  if (!sigma) throw ShapeError("score network unet: a conditional one needs the noise levels [N], not none");
  Tensor h = ctx.empty({sigma.dim(0), width_}, sigma.dtype());
  kernels::wave_embedding(ctx.stream, sigma, level_scale(noise_), kLongestWave, h);
  for (const Module* layer : {embed0_, embed2_}) h = activate(ctx, layer->forward(ctx, h), Activation::silu);
  return h;
}

Tensor UNet::forward(Ctx& ctx, const Tensor& x, const Tensor& sigma) const {  // [N,H,W,C]
  const Tensor level = conditional_ ? embedding(ctx, sigma) : Tensor();
  // The first and the last convolution work on f32: bf16 has too few bits for a pixel and its noise.
  Tensor h = to_compute(ctx, begin_->forward(ctx, x));  // [N,H,W,ch]
  std::vector<Tensor> skips = {h};
  for (const Level& down : down_) {
    for (const Unit& unit : down.units) skips.push_back(h = unit(ctx, h, level));
    if (down.resample) skips.push_back(h = down.resample->forward(ctx, h));
  }
  for (const Unit& unit : middle_) h = unit(ctx, h, level);
  for (const Level& up : up_) {
    for (const Unit& unit : up.units) {
      h = unit(ctx, h, level, skips.back());
      skips.pop_back();
    }
    if (up.resample) h = up.resample->forward(ctx, h);
  }
  h = normalize_->forward(ctx, h);  // and silu
  return end_->forward(ctx, to_dtype(ctx, h, x.dtype()));
}

}  // namespace ascore
