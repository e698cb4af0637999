#include "models/inception_v3.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/io/checksum.hpp"
#include "engine/io/safetensors.hpp"
#include "kernels/bilinear_resize/bilinear_resize.hpp"
#include "kernels/core/error.hpp"
#include "models/inception_blocks.hpp"

#include <algorithm>
#include <set>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr int64_t kSide = 299;

class InceptionBody final : public InceptionModule {
 public:
  InceptionBody()
      : conv_1a_(convolution("Conv2d_1a_3x3", 3, 32, {3, 3, 2, false})),
        conv_2a_(convolution("Conv2d_2a_3x3", 32, 32, {3, 3, 1, false})),
        conv_2b_(convolution("Conv2d_2b_3x3", 32, 64, {3, 3})),
        conv_3b_(convolution("Conv2d_3b_1x1", 64, 80)),
        conv_4a_(convolution("Conv2d_4a_3x3", 80, 192, {3, 3, 1, false})) {
    mixed_ = {block<InceptionA>("Mixed_5b", 192, 32),   block<InceptionA>("Mixed_5c", 256, 64),
              block<InceptionA>("Mixed_5d", 288, 64),   block<InceptionB>("Mixed_6a", 288),
              block<InceptionC>("Mixed_6b", 768, 128),  block<InceptionC>("Mixed_6c", 768, 160),
              block<InceptionC>("Mixed_6d", 768, 160),  block<InceptionC>("Mixed_6e", 768, 192),
              block<InceptionD>("Mixed_7a", 768),       block<InceptionE>("Mixed_7b", 1280, false),
              block<InceptionE>("Mixed_7c", 2048, true)};
  }

  /// [N,299,299,3] -> [N,8,8,2048]
  Tensor forward(Ctx& ctx, const Tensor& x) const override {
    Tensor h = conv_2a_->forward(ctx, conv_1a_->forward(ctx, x));    // [N,147,147,32]
    h = max_pool3(ctx, conv_2b_->forward(ctx, h), /*halved=*/true);  // [N,73,73,64]
    h = conv_4a_->forward(ctx, conv_3b_->forward(ctx, h));           // [N,71,71,192]
    h = max_pool3(ctx, h, /*halved=*/true);                          // [N,35,35,192]
    for (const InceptionModule* mixed : mixed_) h = mixed->forward(ctx, h);
    return h;
  }

 private:
  BasicConv2d *conv_1a_, *conv_2a_, *conv_2b_, *conv_3b_, *conv_4a_;
  std::vector<InceptionModule*> mixed_;
};

/// Name and checksum of the weights; throws DataError for entries that are no parameters of the network.
std::string checked_name(const StateDict& state, const std::vector<Parameter*>& parameters) {
  std::set<std::string> known;
  for (const Parameter* parameter : parameters) known.insert(parameter->name);
  Checksum sum;
  for (const auto& [name, value] : state) {
    if (name.ends_with(".num_batches_tracked")) continue;
    if (!known.contains(name)) throw DataError(fmt::format("state: '{}' is no part of the FID Inception-V3", name));
    sum.add(name);
    sum.add(value.bytes);
  }
  return fmt::format("inception-v3 {}", sum.text());
}

Tensor uploaded(Ctx& ctx, const StateDict& state, const Parameter& parameter) {
  const std::vector<double> values = inception_entry(state, parameter).to_doubles();
  return upload(ctx, HostTensor::from_doubles(values, parameter.shape, DType::f32), MemoryKind::parameters);
}

/// [N,H,W,1 or 3] in [0,1] as the network sees it: [N,299,299,3] in [-1,1].
Tensor prepared(Ctx& ctx, const Tensor& images) {
  const bool grey = images.rank() == 4 && images.dim(3) == 1;
  if (images.rank() != 4 || (images.dim(3) != 3 && !grey) || images.dtype() != DType::f32) {
    throw DataError(fmt::format("inception-v3 takes images f32 [N,H,W,3] or [N,H,W,1]; these are {} {}",
                                name(images.dtype()), to_string(images.shape())));
  }
  const Tensor colours = grey ? joined_channels(ctx, {images, images, images}) : images;
  const Tensor resized = ctx.empty({images.dim(0), kSide, kSide, 3}, DType::f32);
  kernels::bilinear_resize_half_pixel(ctx.stream, colours, resized.view());
  return affine(ctx, resized, 2, -1);
}

}  // namespace

InceptionV3::InceptionV3()
    : body_(add<InceptionBody>("")),
      weight_(parameter("fc.weight", {kClasses, kWidth}, Init::zeros())),
      bias_(parameter("fc.bias", {kClasses}, Init::zeros())) {}

void InceptionV3::load(Ctx& ctx, const StateDict& state) {
  name_ = checked_name(state, parameters());
  for (BasicConv2d* convolution : body_->convolutions()) convolution->load(ctx, state);
  weight_->value = uploaded(ctx, state, *weight_);
  bias_->value = uploaded(ctx, state, *bias_);
  weight_->value.mark_changed();
}

ImageFeatures InceptionV3::look(Ctx& ctx, const Tensor& images) const {
  Ctx inference = ctx.detached();
  const Tensor last = body_->forward(inference, prepared(inference, images));  // [N,8,8,2048]
  const double share = 1.0 / static_cast<double>(last.dim(1) * last.dim(2));
  const Tensor features = scale(inference, pixel_sum(inference, last), share);  // [N,2048]
  return {features, linear(inference, features, weight_->value, bias_->value)};
}

std::unique_ptr<FeatureNetwork> open_inception(Ctx& ctx, const std::filesystem::path& weights) {
  const char* const recipe =
      "make them from pytorch-fid's pt_inception-2015-12-05-6726825d.pth by tools/inception_to_safetensors.py";
  if (!std::filesystem::is_regular_file(weights)) {
    throw DataError(fmt::format("{}: no such file of Inception weights; {}", weights.string(), recipe));
  }
  try {
    auto network = std::make_unique<InceptionV3>();
    network->load(ctx, read_safetensors(weights).tensors);
    return network;
  } catch (const DataError& error) {
    const std::string_view what = error.what();
    const bool named = what.starts_with(weights.string());
    throw DataError(fmt::format("{}{}{}; {}", named ? "" : weights.string(), named ? "" : ": ", what, recipe));
  }
}

}  // namespace ascore
