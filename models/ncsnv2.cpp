#include "models/ncsnv2.hpp"

#include "engine/autograd/normalization.hpp"
#include "kernels/core/error.hpp"
#include "models/refine_block.hpp"
#include "models/residual_block.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kDefaultWidth = 128;
constexpr double kLeakySlope = 0.2;

/// Two residual blocks of one width (in units of ngf). A `down` stage halves the image; with a dilation, and unless the
/// recipe says dilation = false, it widens its view instead.
struct StagePlan {
  const char* name;
  int64_t width;
  Resample resample = Resample::down;
  int dilation = 1;
};
struct RefinePlan {
  const char* name;
  int64_t width;
};
/// A member of the family. The i-th refine block joins the i-th last stage and the refine block before it.
struct Plan {
  const char* network;
  std::vector<StagePlan> stages;
  std::vector<RefinePlan> refine;
};

const Plan& plan_of(const std::string& network) {
  static const std::vector<Plan> plans = {
      {"ncsnv2",
       {{"res1", 1, Resample::none}, {"res2", 2}, {"res3", 2, Resample::down, 2}, {"res4", 2, Resample::down, 4}},
       {{"refine1", 2}, {"refine2", 2}, {"refine3", 1}, {"refine4", 1}}},
      {"ncsnv2_deeper",
       {{"res1", 1, Resample::none},
        {"res2", 2},
        {"res3", 2},
        {"res4", 4, Resample::down, 2},
        {"res5", 4, Resample::down, 4}},
       {{"refine1", 4}, {"refine2", 2}, {"refine3", 2}, {"refine4", 1}, {"refine5", 1}}},
      {"ncsnv2_deepest",
       {{"res1", 1, Resample::none},
        {"res2", 2},
        {"res3", 2},
        {"res31", 2},
        {"res4", 4, Resample::down, 2},
        {"res5", 4, Resample::down, 4}},
       {{"refine1", 4}, {"refine2", 2}, {"refine31", 2}, {"refine3", 2}, {"refine4", 1}, {"refine5", 1}}}};
  const auto found = std::ranges::find(plans, network, &Plan::network);
  if (found == plans.end()) throw ConfigError(fmt::format("'{}' is no network of the NCSNv2 family", network));
  return *found;
}

/// By how much the stages divide the sides of an image.
int64_t stride(const Plan& plan, bool dilation) {
  int64_t stride = 1;
  for (const StagePlan& stage : plan.stages) {
    if (stage.resample == Resample::down && !(dilation && stage.dilation > 1)) stride *= 2;
  }
  return stride;
}

/// Images whose sides are odd where the last stage halves them (28x28 under `ncsnv2`): zeros make them even.
bool has_odd_sides(const ScoreNetworkConfig& config, int64_t stride) {
  const Shape& sample = config.sample_shape;
  return !config.dilation && sample.rank() == 3 && sample[0] % stride == stride / 2 && sample[1] % stride == stride / 2;
}

void check(const ScoreNetworkConfig& config, int64_t stride) {
  const Shape& sample = config.sample_shape;
  const bool even = sample.rank() == 3 && sample[0] % stride == 0 && sample[1] % stride == 0;
  if (!even && !has_odd_sides(config, stride)) {
    const std::string odd = config.dilation ? "" : fmt::format(", or both by {} only", stride / 2);
    throw ConfigError(
        fmt::format("score network {} (dilation = {}): needs images [H,W,C] whose sides both divide by {}{}, not {}",
                    config.name, config.dilation, stride, odd, to_string(sample)));
  }
  if (config.conditional) {
    throw ConfigError(fmt::format("score network {} is unconditional: set conditional = false", config.name));
  }
  if (config.width < 0)
    throw ConfigError(fmt::format("score network {}: width {} is negative", config.name, config.width));
}
}  // namespace

Ncsnv2::Ncsnv2(const ScoreNetworkConfig& config)
    : act_{config.activation.value_or(Activation::elu), config.slope.value_or(kLeakySlope)},
      shift_input_(config.shift_input),
      dae_(config.dae),
      standardize_(config.standardize) {
  const NcsnStyle style{
      .act = act_, .norm = config.norm.value_or("instance_norm_plus"), .spectral_norm = config.spectral_norm};
  if (standardize_) set_mixes_samples();
  const Plan& plan = plan_of(config.name);
  check(config, stride(plan, config.dilation));
  const bool odd = has_odd_sides(config, stride(plan, config.dilation));
  const int64_t ngf = config.width ? config.width : kDefaultWidth, channels = config.sample_shape[2];
  begin_ = add_conv(*this, style, "begin_conv", channels, ngf, 3);
  normalizer_ = add_norm(*this, style, "normalizer", ngf, config.last_norm_eps.value_or(kNormEps));
  end_ = add_conv(*this, style, "end_conv", ngf, channels, 3);

  int64_t in = ngf;
  for (const StagePlan& stage : plan.stages) {
    const int64_t out = stage.width * ngf;
    const int dilation = config.dilation ? stage.dilation : 1;
    const bool pad_odd = odd && &stage == &plan.stages.back();
    stages_.push_back(
        {add<ResidualBlock>(fmt::format("{}.0", stage.name), in, out, stage.resample, dilation, style, pad_odd),
         add<ResidualBlock>(fmt::format("{}.1", stage.name), out, out, Resample::none, dilation, style)});
    in = out;
  }
  for (size_t i = 0; i < plan.refine.size(); ++i) {
    std::vector<int64_t> inputs = {plan.stages[plan.stages.size() - 1 - i].width * ngf};
    if (i > 0) inputs.push_back(plan.refine[i - 1].width * ngf);
    const bool end = i + 1 == plan.refine.size();
    refine_.push_back(add<RefineBlock>(plan.refine[i].name, inputs, plan.refine[i].width * ngf, end, style));
  }
}

Tensor Ncsnv2::forward(Ctx& ctx, const Tensor& x, const Tensor&) const {  // [N,H,W,C]
  // The first and the last convolution work on f32: bf16 has too few bits for a pixel and its noise.
  Tensor in = to_compute(ctx, begin_->forward(ctx, shift_input_ ? affine(ctx, x, 2, -1) : x));  // [N,H,W,ngf]
  std::vector<Activated> level;  // a stage's output each: [N,H,W,ngf], [N,H/2,W/2,2ngf], then as the plan has it
  for (const Stage& stage : stages_) {
    level.push_back(stage.second->forward(ctx, stage.first->forward(ctx, in, {}).value, act_.epilogue(true)));
    in = level.back().raw;
  }
  in = {};
  Activated refined;
  for (const RefineBlock* block : refine_) {
    const Epilogue next =
        block == refine_.back() ? Epilogue{.measure = normalizer_->measures(ctx)} : act_.epilogue(true);
    refined = refined.raw ? block->refine(ctx, std::array{level.back(), refined}, next)
                          : block->refine(ctx, std::array{level.back()}, next);
    level.pop_back();
  }
  const Tensor h = act_.of(ctx, *normalizer_, Measured::raw(refined)).value;  // [N,H,W,ngf]
  const Tensor out = end_->forward(ctx, to_dtype(ctx, h, x.dtype()));
  const Tensor s = dae_ ? activate(ctx, scale(ctx, out, 2), Activation::sigmoid) : out;  // [N,H,W,C]
  return standardize_ ? standardize(ctx, s) : s;
}

}  // namespace ascore
