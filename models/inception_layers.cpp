#include "models/inception_layers.hpp"

#include "engine/autograd/fused_conv2d.hpp"
#include "kernels/concat/concat.hpp"
#include "kernels/conv2d/window_conv2d.hpp"
#include "kernels/core/error.hpp"
#include "kernels/pool3/pool3.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

constexpr double kEps = 0.001;

int padding(int window, const InceptionWindow& of) {
  return of.padded ? (window - 1) / 2 : 0;
}

/// Whether conv2d computes it.
bool is_plain(const InceptionWindow& window) {
  return window.height == window.width && window.height % 2 == 1 && (window.padded || window.height == 1);
}

Tensor pool(Ctx& ctx, const Tensor& x, const kernels::Pool3Options& options) {
  const Tensor y = ctx.empty(kernels::pool3_output_shape(x.shape(), options), x.dtype());
  kernels::pool3(ctx.stream, x, options, y.view());
  return y;
}

}  // namespace

BasicConv2d::BasicConv2d(int64_t in, int64_t out, const InceptionWindow& window)
    : window_(window),
      weight_(parameter("conv.weight", {out, window.height, window.width, in}, Init::zeros(), ParameterLayout::conv)),
      gamma_(parameter("bn.weight", {out}, Init::zeros())),
      beta_(parameter("bn.bias", {out}, Init::zeros())),
      mean_(buffer("bn.running_mean", {out}, Init::zeros())),
      variance_(buffer("bn.running_var", {out}, Init::zeros())) {}

void BasicConv2d::load(Ctx& ctx, const StateDict& state) {
  const auto values = [&](const Parameter* parameter) { return inception_entry(state, *parameter).to_doubles(); };
  std::vector<double> weight = values(weight_);
  const std::vector<double> gamma = values(gamma_), beta = values(beta_), mean = values(mean_);
  const std::vector<double> variance = values(variance_);
  if (std::ranges::any_of(variance, [](double v) { return v < 0; })) {
    throw DataError(fmt::format("state: '{}' holds values below zero", variance_->name));
  }
  const size_t taps = weight.size() / gamma.size();
  std::vector<double> bias(gamma.size());
  for (size_t o = 0; o < gamma.size(); ++o) {
    const double factor = gamma[o] / std::sqrt(variance[o] + kEps);
    for (size_t i = 0; i < taps; ++i) weight[o * taps + i] *= factor;
    bias[o] = beta[o] - factor * mean[o];
  }
  folded_weight_ = upload(ctx, HostTensor::from_doubles(weight, weight_->shape, DType::f32), MemoryKind::parameters);
  folded_bias_ = upload(ctx, HostTensor::from_doubles(bias, gamma_->shape, DType::f32), MemoryKind::parameters);
  folded_weight_.mark_changed();
}

Tensor BasicConv2d::forward(Ctx& ctx, const Tensor& x) const {
  const ModuleScope scope(ctx, *this);
  if (is_plain(window_)) {
    return fused_conv2d(ctx, Activated(x), folded_weight_, folded_bias_, {.stride = window_.stride},
                        {.activation = Activation::relu})
        .value;
  }
  const kernels::WindowConv2dOptions options{.stride = window_.stride,
                                             .pad_height = padding(window_.height, window_),
                                             .pad_width = padding(window_.width, window_),
                                             .activation = Activation::relu};
  const Tensor y =
      ctx.empty(kernels::window_conv2d_output_shape(x.shape(), folded_weight_.shape(), options), x.dtype());
  kernels::window_conv2d(ctx.stream, x, folded_weight_, folded_bias_, options, y.view());
  return y;
}

BasicConv2d* InceptionModule::convolution(const std::string& name, int64_t in, int64_t out,
                                          const InceptionWindow& window) {
  convolutions_.push_back(add<BasicConv2d>(name, in, out, window));
  return convolutions_.back();
}

HostTensor inception_entry(const StateDict& state, const Parameter& parameter) {
  const auto found = state.find(parameter.name);
  if (found == state.end()) throw DataError(fmt::format("state: has no '{}'", parameter.name));
  HostTensor value = from_pytorch(found->second, parameter.layout, parameter.shape);
  if (value.shape != parameter.shape) {
    throw DataError(fmt::format("state: '{}' is {}, the network's {}", parameter.name, to_string(value.shape),
                                to_string(parameter.shape)));
  }
  if (!all_finite(value)) {
    throw DataError(fmt::format("state: '{}' holds values that are not finite", parameter.name));
  }
  return value;
}

Tensor joined_channels(Ctx& ctx, std::initializer_list<Tensor> images) {
  Tensor all;
  for (const Tensor& image : images) {
    if (!all) {
      all = image;
      continue;
    }
    const Tensor more = ctx.empty({image.dim(0), image.dim(1), image.dim(2), all.dim(3) + image.dim(3)}, image.dtype());
    kernels::concat_channels(ctx.stream, all, image, more.view());
    all = more;
  }
  return all;
}

Tensor max_pool3(Ctx& ctx, const Tensor& x, bool halved) {
  return pool(ctx, x, {.kind = kernels::Pool3Options::Kind::max, .stride = halved ? 2 : 1, .padding = halved ? 0 : 1});
}

Tensor mean_pool3(Ctx& ctx, const Tensor& x) {
  return pool(ctx, x, {.kind = kernels::Pool3Options::Kind::mean, .stride = 1, .padding = 1});
}

}  // namespace ascore
