#include "models/ncsnv2.hpp"

#include "kernels/core/error.hpp"
#include "models/refine_block.hpp"
#include "models/residual_block.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kDefaultWidth = 128;
constexpr double kLeakySlope = 0.2;

void check(const ScoreNetworkConfig& config) {
  const Shape& sample = config.sample_shape;
  const int64_t multiple = config.dilation ? 2 : 8;
  if (sample.rank() != 3 || sample[0] % multiple != 0 || sample[1] % multiple != 0) {
    throw ConfigError(
        fmt::format("score network ncsnv2 (dilation = {}): needs images [H,W,C] whose sides divide by {}, "
                    "not {}",
                    config.dilation, multiple, to_string(sample)));
  }
  if (config.norm != "instance_norm_plus") {
    throw ConfigError(fmt::format("score network ncsnv2: norm '{}' is not known; use instance_norm_plus", config.norm));
  }
  if (config.standardize) throw ConfigError("score network ncsnv2: this version has no standardize; set it to false");
  if (config.conditional) throw ConfigError("score network ncsnv2 is unconditional: set conditional = false");
  if (config.width < 0) throw ConfigError(fmt::format("score network ncsnv2: width {} is negative", config.width));
}
}  // namespace

Ncsnv2::Ncsnv2(const ScoreNetworkConfig& config)
    : act_{config.activation.value_or(Activation::elu), config.slope.value_or(kLeakySlope)},
      shift_input_(config.shift_input),
      dae_(config.dae) {
  check(config);
  const int64_t ngf = config.width ? config.width : kDefaultWidth, channels = config.sample_shape[2];
  begin_ = add<Conv2d>("begin_conv", channels, ngf, 3);
  normalizer_ = add<InstanceNormPlus>("normalizer", ngf);
  end_ = add<Conv2d>("end_conv", ngf, channels, 3);

  const auto stage = [&](const char* name, int64_t in, int64_t out, Resample resample, int dilation) {
    dilation = config.dilation ? dilation : 1;
    return Stage{add<ResidualBlock>(fmt::format("{}.0", name), in, out, resample, dilation, act_),
                 add<ResidualBlock>(fmt::format("{}.1", name), out, out, Resample::none, dilation, act_)};
  };
  stages_ = {stage("res1", ngf, ngf, Resample::none, 1), stage("res2", ngf, 2 * ngf, Resample::down, 1),
             stage("res3", 2 * ngf, 2 * ngf, Resample::down, 2), stage("res4", 2 * ngf, 2 * ngf, Resample::down, 4)};

  using Widths = std::vector<int64_t>;
  refine_ = {add<RefineBlock>("refine1", Widths{2 * ngf}, 2 * ngf, false, act_),
             add<RefineBlock>("refine2", Widths{2 * ngf, 2 * ngf}, 2 * ngf, false, act_),
             add<RefineBlock>("refine3", Widths{2 * ngf, 2 * ngf}, ngf, false, act_),
             add<RefineBlock>("refine4", Widths{ngf, ngf}, ngf, true, act_)};
}

Tensor Ncsnv2::forward(Ctx& ctx, const Tensor& x, const Tensor&) const {  // [N,H,W,C]
  // The first and the last convolution work on f32: bf16 has too few bits for a pixel and its noise.
  Tensor h = begin_->forward(ctx, shift_input_ ? affine(ctx, x, 2, -1) : x);
  h = to_compute(ctx, h);       // [N,H,W,ngf]
  std::array<Tensor, 4> level;  // [N,H,W,ngf], [N,H/2,W/2,2ngf], then as `dilation` has it
  for (size_t i = 0; i < 4; ++i) h = level[i] = stages_[i](ctx, h);
  h = refine_[0]->refine(ctx, std::array{level[3]});
  for (size_t i = 1; i < 4; ++i) h = refine_[i]->refine(ctx, std::array{level[3 - i], h});
  h = act_(ctx, normalizer_->forward(ctx, h));  // [N,H,W,ngf]
  const Tensor out = end_->forward(ctx, to_dtype(ctx, h, x.dtype()));
  return dae_ ? activate(ctx, scale(ctx, out, 2), Activation::sigmoid) : out;  // [N,H,W,C]
}

}  // namespace ascore
