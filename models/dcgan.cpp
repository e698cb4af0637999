#include "models/dcgan.hpp"

#include "engine/autograd/checkpoint.hpp"
#include "engine/autograd/transpose.hpp"
#include "engine/nn/layers.hpp"
#include "engine/nn/normalization_layers.hpp"
#include "engine/nn/torch_spectral_layers.hpp"
#include "kernels/core/error.hpp"

#include <array>
#include <utility>

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr int64_t kDefaultWidth = 64, kHalved = 8;
constexpr std::array<int64_t, 7> kWidths{1, 1, 2, 2, 4, 4, 8};  ///< output channels in units of the width
constexpr double kSlope = 0.1;
}  // namespace

DcganCritic::DcganCritic(const CriticConfig& config) {
  const Shape& sample = config.sample_shape;
  if (sample.rank() != 3 || sample[0] % kHalved || sample[1] % kHalved) {
    throw ConfigError(fmt::format("critic dcgan: needs images [H,W,C] with sides that are multiples of 8, not {}",
                                  to_string(sample)));
  }
  if (config.width < 0) throw ConfigError(fmt::format("critic dcgan: width {} is negative", config.width));
  const bool batch_norm = config.norm == "batch_norm", spectral_norm = config.norm == "spectral_norm";
  if (!batch_norm && !spectral_norm && config.norm != "none") {
    throw ConfigError(
        fmt::format("critic dcgan: norm '{}' is not known; use one of: batch_norm, spectral_norm, none", config.norm));
  }
  const int64_t width = config.width ? config.width : kDefaultWidth;
  int64_t in = sample[2];
  int index = 0;  // in the original's Sequential, where activations count
  for (size_t i = 0; i < kWidths.size(); ++i) {
    const int64_t out = kWidths[i] * width;
    const bool halves = i % 2 == 1, last = i + 1 == kWidths.size();
    Stage stage{};
    stage.conv = add_conv(fmt::format("model.{}", index++), in, out, halves, spectral_norm);
    if (batch_norm && !last) {
      stage.norm = add<BatchNorm>(fmt::format("model.{}", index++), out, Init::normal(1, 0.02));
    }
    ++index;
    stages_.push_back(stage);
    in = out;
  }
  dense_ = add<Linear>("dense", sample[0] / kHalved * (sample[1] / kHalved) * in, 1);
}

Convolution* DcganCritic::add_conv(std::string name, int64_t in, int64_t out, bool halves, bool spectral_norm) {
  const int kernel = halves ? 4 : 3, stride = halves ? 2 : 1;
  const LayerInit init{.weight = Init::normal(0, 0.02)};
  if (spectral_norm) {
    return add<TorchSpectralConv2d>(std::move(name), in, out, kernel, Conv2dOptions{.stride = stride}, true, init);
  }
  return add<Conv2d>(std::move(name), in, out, kernel, 1, true, stride, init);
}

Tensor DcganCritic::forward(Ctx& ctx, const Tensor& x) const {  // [N,H,W,C]
  Tensor h = to_compute(ctx, x);
  for (const Stage& stage : stages_) {
    h = checkpoint(ctx, [&stage, h](Ctx& c) {
      const Activated y = stage.conv->forward(c, Activated(h), {.measure = stage.norm && stage.norm->measures(c)});
      const Tensor z = stage.norm ? stage.norm->normalized(c, Measured::raw(y)) : y.value;
      return activate(c, z, Activation::leaky_relu, kSlope);
    });
  }
  const int64_t N = h.dim(0), pixels = h.dim(1) * h.dim(2), C = h.dim(3);  // [N,H/8,W/8,8 width]
  h = transpose(ctx, reshape(ctx, h, {N, pixels, C}));                     // flattened as C,H,W
  h = dense_->forward(ctx, to_dtype(ctx, reshape(ctx, h, {N, C * pixels}), x.dtype()));
  return reshape(ctx, h, {N});
}

}  // namespace ascore
