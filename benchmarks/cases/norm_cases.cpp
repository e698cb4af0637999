// Normalisations: InstanceNorm++ of NCSNv2 (with ELU, forward), GroupNorm with SiLU of UNet; forward and backward.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/concat/concat.hpp"
#include "kernels/group_norm/group_norm.hpp"
#include "kernels/instance_norm_plus/instance_norm_plus.hpp"
#include "kernels/joined_group_norm/joined_group_norm.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

constexpr double kPlusEps = 1e-5, kGroupEps = 1e-6;
constexpr int64_t kGroups = 32;  // at width 128

struct Map {
  int64_t size, channels;  ///< at 32x32 and width 128
};
constexpr Map kPlusMaps[] = {{32, 128}, {16, 256}};
constexpr Map kGroupMaps[] = {{32, 128}, {32, 256}, {32, 384}, {16, 128}, {16, 256}, {16, 384},
                              {16, 512}, {8, 256},  {8, 512},  {4, 256},  {4, 512}};

/// Two maps that a block on the way up joins.
struct JoinedMaps {
  int64_t size, channels, skip;
};
constexpr JoinedMaps kJoinedMaps[] = {{32, 256, 128}, {32, 128, 128}, {16, 256, 256}, {16, 256, 128}, {8, 256, 256}};

struct Operands {
  Tensor x, gamma, alpha, beta, y, mean, rstd, channels, dy, dx, dgamma, dalpha, dbeta;
};

/// `statistics`: per image, and per channel or group.
Operands operands(Workbench& bench, const Shape& shape, int64_t statistics) {
  const DType dtype = bench.options().dtype;
  const Shape per_channel{shape[3]}, moments{shape[0], statistics};
  const auto vector = [&] { return bench.zeros(per_channel, DType::f32); };
  return {.x = bench.normal(shape, dtype),
          .gamma = bench.normal(per_channel, DType::f32),
          .alpha = bench.normal(per_channel, DType::f32),
          .beta = bench.normal(per_channel, DType::f32),
          .y = bench.zeros(shape, dtype),
          .mean = bench.zeros(moments, DType::f32),
          .rstd = bench.zeros(moments, DType::f32),
          .channels = bench.zeros({shape[0], 2}, DType::f32),
          .dy = bench.normal(shape, dtype),
          .dx = bench.zeros(shape, dtype),
          .dgamma = vector(),
          .dalpha = vector(),
          .dbeta = vector()};
}

double silu(double x) {
  return x / (1 + std::exp(-x));
}
double silu_slope(double x) {
  const double s = 1 / (1 + std::exp(-x));
  return s * (1 + x * (1 - s));
}

/// Group normalisation and SiLU in f64, element by element.
class ExactGroupNorm {
 public:
  ExactGroupNorm(Ctx& ctx, const Operands& o, int64_t groups)
      : x_(ctx, o.x), gamma_(ctx, o.gamma), beta_(ctx, o.beta), dy_(ctx, o.dy), per_group_(o.x.dim(3) / groups) {}

  double y(int64_t i) const {
    const Position at = position(x_.shape(), i);
    return silu(normal(at, moments(at)));
  }
  double dx(int64_t i) const {
    const Position at = position(x_.shape(), i);
    const Moments m = moments(at);
    double sum = 0, product = 0, count = 0;
    for_group(at, [&](const Position& p) {
      const double g = slope(p, m), xhat = (value(p) - m.mean) * m.rstd;
      sum += g;
      product += g * xhat;
      ++count;
    });
    const double xhat = (value(at) - m.mean) * m.rstd;
    return m.rstd * (slope(at, m) - sum / count - xhat * product / count);
  }

 private:
  struct Moments {
    double mean, rstd;
  };
  double value(const Position& p) const { return x_.at(p.n, p.h, p.w, p.c); }
  double normal(const Position& p, const Moments& m) const {
    return gamma_[p.c] * (value(p) - m.mean) * m.rstd + beta_[p.c];
  }
  /// gamma dy silu', which arrives at the normalised value.
  double slope(const Position& p, const Moments& m) const {
    return gamma_[p.c] * dy_.at(p.n, p.h, p.w, p.c) * silu_slope(normal(p, m));
  }
  template <class Visit>
  void for_group(const Position& at, Visit visit) const {
    const int64_t first = at.c / per_group_ * per_group_;
    for (int64_t h = 0; h < x_.shape()[1]; ++h) {
      for (int64_t w = 0; w < x_.shape()[2]; ++w) {
        for (int64_t c = first; c < first + per_group_; ++c) visit(Position{at.n, h, w, c});
      }
    }
  }
  Moments moments(const Position& at) const {
    double sum = 0, squares = 0, count = 0;
    for_group(at, [&](const Position& p) { sum += value(p), ++count; });
    const double mean = sum / count;
    for_group(at, [&](const Position& p) { squares += (value(p) - mean) * (value(p) - mean); });
    return {mean, 1 / std::sqrt(squares / count + kGroupEps)};
  }

  HostCopy x_, gamma_, beta_, dy_;
  int64_t per_group_;
};

/// InstanceNorm++ of the last image in f64: y with ELU, dx without.
class ExactPlus {
 public:
  ExactPlus(Ctx& ctx, const Operands& o)
      : x_(ctx, o.x), gamma_(ctx, o.gamma), alpha_(ctx, o.alpha), beta_(ctx, o.beta), dy_(ctx, o.dy) {
    const Shape& shape = x_.shape();
    const int64_t image = shape[0] - 1, channels = shape[3], pixels = shape[1] * shape[2];
    const auto resize = [&](std::vector<double>& v) { v.assign(static_cast<size_t>(channels), 0); };
    for (auto* v : {&mean_, &rstd_, &sum_, &product_, &spread_}) resize(*v);
    const int64_t first = image * pixels * channels;
    const auto for_elements = [&](auto visit) {
      for (int64_t k = 0; k < pixels * channels; ++k) visit(first + k, static_cast<size_t>(k % channels));
    };
    const double count = static_cast<double>(pixels), all = static_cast<double>(channels);
    for_elements([&](int64_t i, size_t c) { mean_[c] += x_[i] / count; });
    for_elements([&](int64_t i, size_t c) { rstd_[c] += (x_[i] - mean_[c]) * (x_[i] - mean_[c]) / count; });
    for (double& r : rstd_) r = 1 / std::sqrt(r + kPlusEps);
    double middle = 0, variance = 0;
    for (const double m : mean_) middle += m / all;
    for (const double m : mean_) variance += (m - middle) * (m - middle) / (all - 1);
    spread_rstd_ = 1 / std::sqrt(variance + kPlusEps);
    for (size_t c = 0; c < mean_.size(); ++c) spread_[c] = (mean_[c] - middle) * spread_rstd_;
    for_elements([&](int64_t i, size_t c) {
      sum_[c] += dy_[i];
      product_[c] += dy_[i] * (x_[i] - mean_[c]) * rstd_[c];
    });
    for (size_t c = 0; c < mean_.size(); ++c) {
      const double g = channel_gradient(c);
      mean_gradient_ += g / all;
      spread_product_ += g * spread_[c] / (all - 1);
    }
    pixels_ = count;
  }

  double y(int64_t i) const {
    const size_t c = channel(i);
    const double value = at(gamma_, c) * ((x_[i] - mean_[c]) * rstd_[c] + at(alpha_, c) * spread_[c]) + at(beta_, c);
    return value > 0 ? value : std::expm1(value);
  }
  double dx(int64_t i) const {
    const size_t c = channel(i);
    const double xhat = (x_[i] - mean_[c]) * rstd_[c];
    const double within = at(gamma_, c) * rstd_[c] * (dy_[i] - sum_[c] / pixels_ - xhat * product_[c] / pixels_);
    const double across =
        spread_rstd_ * (channel_gradient(c) - mean_gradient_ - spread_[c] * spread_product_) / pixels_;
    return within + across;
  }

 private:
  static double at(const HostCopy& v, size_t c) { return v[static_cast<int64_t>(c)]; }
  size_t channel(int64_t i) const { return static_cast<size_t>(i % x_.shape()[3]); }
  double channel_gradient(size_t c) const { return at(gamma_, c) * at(alpha_, c) * sum_[c]; }

  HostCopy x_, gamma_, alpha_, beta_, dy_;
  std::vector<double> mean_, rstd_, sum_, product_, spread_;
  double spread_rstd_ = 0, mean_gradient_ = 0, spread_product_ = 0, pixels_ = 0;
};

double bytes(const Shape& shape, DType dtype) {
  return static_cast<double>(shape.count()) * static_cast<double>(size_of(dtype));
}

void group_forward(Stream& stream, const Operands& o, const Tensor& workspace) {
  kernels::group_norm(stream, o.x, o.gamma, o.beta, kGroupEps, Activation::silu, o.y.view(), o.mean.view(),
                      o.rstd.view(), workspace.view());
}
void plus_forward(Stream& stream, const Operands& o) {
  kernels::instance_norm_plus(stream, o.x, o.gamma, o.alpha, o.beta, o.y.view(), o.mean.view(), o.rstd.view(),
                              o.channels.view(), Activation::elu);
}

Subject prepare_group(Workbench& bench, const Shape& shape, int64_t groups, bool backward) {
  const DType dtype = bench.options().dtype;
  Stream& stream = bench.stream();
  const Operands o = operands(bench, shape, groups);
  const Tensor workspace = bench.workspace(kernels::group_norm_workspace_bytes(shape, dtype));
  const auto error = [&bench, o, groups, backward](const Tensor& result) {
    const auto exact = std::make_shared<ExactGroupNorm>(bench.ctx(), o, groups);
    return relative_error(bench.ctx(), result, [=](int64_t i) { return backward ? exact->dx(i) : exact->y(i); });
  };
  const double tensors = backward ? 3 : 2;  // x and dy once, dx; or x once, y
  Subject subject{.run = [&stream, o, workspace] { group_forward(stream, o, workspace); },
                  .result = backward ? o.dx : o.y,
                  .error = error,
                  .allowed = rounding_error(dtype),
                  .yardstick = copy_yardstick(bench, tensors * bytes(shape, dtype))};
  if (!backward) return subject;
  subject.run();
  const Tensor scratch = bench.workspace(kernels::group_norm_backward_workspace_bytes(shape, groups, dtype));
  subject.run = [&stream, o, scratch] {
    kernels::group_norm_backward(stream, o.x, o.gamma, o.beta, o.mean, o.rstd, Activation::silu, o.dy, o.dx.view(),
                                 o.dgamma.view(), o.dbeta.view(), scratch.view());
  };
  return subject;
}

/// Of the joined map's first `width` channels and the others; backward looks at the gradient of the first.
Subject prepare_joined(Workbench& bench, const Shape& shape, int64_t width, int64_t groups, bool backward) {
  const DType dtype = bench.options().dtype;
  Stream& stream = bench.stream();
  const Operands o = operands(bench, shape, groups);
  const auto part = [&](int64_t channels) { return bench.zeros({shape[0], shape[1], shape[2], channels}, dtype); };
  const Tensor a = part(width), b = part(shape[3] - width), da = part(width), db = part(shape[3] - width);
  kernels::split_channels(stream, o.x, a.view(), b.view());
  const Tensor workspace = bench.workspace(kernels::joined_group_norm_workspace_bytes(shape, dtype));
  const auto error = [&bench, o, groups, width, channels = shape[3], backward](const Tensor& result) {
    const ExactGroupNorm exact(bench.ctx(), o, groups);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      return backward ? exact.dx(i / width * channels + i % width) : exact.y(i);
    });
  };
  Subject subject{.run =
                      [&stream, o, a, b, workspace] {
                        kernels::joined_group_norm(stream, a, b, o.gamma, o.beta, kGroupEps, Activation::silu,
                                                   o.y.view(), o.mean.view(), o.rstd.view(), workspace.view());
                      },
                  .result = backward ? da : o.y,
                  .error = error,
                  .allowed = rounding_error(dtype),
                  .yardstick = copy_yardstick(bench, (backward ? 3 : 2) * bytes(shape, dtype))};
  if (!backward) return subject;
  subject.run();
  const Tensor scratch = bench.workspace(kernels::joined_group_norm_backward_workspace_bytes(shape, groups, dtype));
  subject.run = [&stream, o, a, b, da, db, scratch] {
    kernels::joined_group_norm_backward(stream, a, b, o.gamma, o.beta, o.mean, o.rstd, Activation::silu, o.dy,
                                        da.view(), db.view(), o.dgamma.view(), o.dbeta.view(), scratch.view());
  };
  return subject;
}

Subject prepare_plus(Workbench& bench, const Shape& shape, bool backward) {
  const DType dtype = bench.options().dtype;
  Stream& stream = bench.stream();
  const Operands o = operands(bench, shape, shape[3]);
  const auto error = [&bench, o, shape, backward](const Tensor& result) {
    const auto exact = std::make_shared<ExactPlus>(bench.ctx(), o);
    return relative_error(
        bench.ctx(), result, [=](int64_t i) { return backward ? exact->dx(i) : exact->y(i); },
        shape.count() / shape[0] * (shape[0] - 1), shape.count());
  };
  const double tensors = backward ? 3 : 2;
  Subject subject{.run = [&stream, o] { plus_forward(stream, o); },
                  .result = backward ? o.dx : o.y,
                  .error = error,
                  .allowed = rounding_error(dtype),
                  .yardstick = copy_yardstick(bench, tensors * bytes(shape, dtype))};
  if (!backward) return subject;
  subject.run();
  const Tensor scratch = bench.workspace(kernels::instance_norm_plus_backward_workspace_bytes(shape, dtype));
  subject.run = [&stream, o, scratch] {
    kernels::instance_norm_plus_backward(stream, o.x, o.gamma, o.alpha, o.mean, o.rstd, o.channels, o.dy, o.dx.view(),
                                         o.dgamma.view(), o.dalpha.view(), o.dbeta.view(), scratch.view());
  };
  return subject;
}

}  // namespace

void add_norm_cases(const KernelOptions& options, Cases& cases) {
  const auto shape_of = [&](const Map& map) {
    return Shape{options.batch, options.side(map.size), options.side(map.size), options.channels(map.channels)};
  };
  const auto add = [&](const char* operation, const char* network, const Shape& shape, bool backward, auto prepare) {
    cases.push_back({fmt::format("{}_{}/{}/{}x{}x{}/{}", operation, backward ? "backward" : "forward", network,
                                 shape[1], shape[2], shape[3], ascore::name(options.dtype)),
                     0, (backward ? 3 : 2) * bytes(shape, options.dtype), prepare});
  };
  for (const Map& map : kPlusMaps) {
    const Shape shape = shape_of(map);
    for (const bool backward : {false, true}) {
      add(backward ? "instance_norm_plus" : "instance_norm_plus_elu", "ncsnv2", shape, backward,
          [=](Workbench& bench) { return prepare_plus(bench, shape, backward); });
    }
  }
  const int64_t groups = options.channels(kGroups);
  for (const Map& map : kGroupMaps) {
    const Shape shape = shape_of(map);
    for (const bool backward : {false, true}) {
      add("group_norm_silu", "unet", shape, backward,
          [=](Workbench& bench) { return prepare_group(bench, shape, groups, backward); });
    }
  }
  for (const JoinedMaps& maps : kJoinedMaps) {
    const int64_t width = options.channels(maps.channels);
    const Shape shape{options.batch, options.side(maps.size), options.side(maps.size),
                      width + options.channels(maps.skip)};
    for (const bool backward : {false, true}) {
      add("joined_group_norm_silu", "unet", shape, backward,
          [=](Workbench& bench) { return prepare_joined(bench, shape, width, groups, backward); });
    }
  }
}

}  // namespace ascore::bench
