// Convolutions of NCSNv2 (ngf 128), UNet (ch 128) and the BigGAN critic (ch 64) on 32x32 images, three passes each. A
// shape that several networks have is listed once. UNet's 1x1 products are linear_cases.cpp's.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"

#include <array>
#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

using kernels::Conv2dPass;

struct Layer {
  const char* network;
  int64_t size, in, out;  ///< of the input image at 32x32; channels at width 128
  int64_t kernel = 3;
  int dilation = 1, stride = 1;
};

constexpr Layer kLayers[] = {
    {"ncsnv2", 32, 3, 128},          {"ncsnv2", 32, 128, 128},        {"ncsnv2", 32, 128, 256, 4, 1, 2},
    {"ncsnv2", 16, 128, 256, 1},     {"ncsnv2", 16, 256, 256},        {"ncsnv2", 16, 256, 256, 3, 2},
    {"ncsnv2", 16, 256, 256, 3, 4},  {"ncsnv2", 16, 256, 128},        {"ncsnv2", 16, 128, 128},
    {"ncsnv2", 32, 128, 3},          {"unet", 32, 128, 128, 3, 1, 2}, {"unet", 32, 256, 256},
    {"unet", 32, 256, 128},          {"unet", 32, 384, 128},          {"unet", 16, 128, 256},
    {"unet", 16, 256, 256, 3, 1, 2}, {"unet", 16, 384, 256},          {"unet", 16, 512, 256},
    {"unet", 8, 256, 256},           {"unet", 8, 256, 256, 3, 1, 2},  {"unet", 8, 512, 256},
    {"unet", 4, 256, 256},           {"unet", 4, 512, 256},           {"critic", 32, 3, 256},
    {"critic", 16, 3, 256, 1},       {"critic", 16, 256, 256, 1},
};

/// Layers whose sums the networks add to a residual and activate on the way out, in the same pass.
constexpr Layer kFusedLayers[] = {{"ncsnv2", 32, 128, 128}, {"ncsnv2", 16, 256, 256}};

/// The layer at the sizes of a run.
struct Problem {
  Conv2dPass pass;
  kernels::Conv2dOptions options;
  Shape x, weight, y;
  DType dtype;
};

Problem problem(const KernelOptions& options, const Layer& layer, Conv2dPass pass) {
  const int64_t side = options.side(layer.size), in = options.channels(layer.in), out = options.channels(layer.out);
  Problem p{.pass = pass,
            .options = {.stride = layer.stride, .dilation = layer.dilation},
            .x = {options.batch, side, side, in},
            .weight = {out, layer.kernel, layer.kernel, in},
            .y = {},
            .dtype = options.dtype};
  p.y = kernels::conv2d_output_shape(p.x, p.weight, p.options);
  // Score networks see images and give scores in f32, whatever is between.
  if (std::min(in, out) <= 3 && layer.network != std::string("critic")) p.dtype = DType::f32;
  return p;
}

/// Sums of one element each, written as in kernels/conv2d/conv2d.hpp.
class ExactConv2d {
 public:
  ExactConv2d(Ctx& ctx, const Problem& p, const ConvOperands& o)
      : p_(p), x_(ctx, o.x), weight_(ctx, o.weight), y_(ctx, o.y) {}

  double operator()(int64_t i) const {
    switch (p_.pass) {
      case Conv2dPass::forward:
        return forward(position(p_.y, i));
      case Conv2dPass::dgrad:
        return dgrad(position(p_.x, i));
      case Conv2dPass::wgrad:
        break;
    }
    return wgrad(position(p_.weight, i));  // weight is [O,k,k,I]
  }

 private:
  int64_t reach() const { return (p_.weight[1] - 1) / 2; }
  /// The row or column of x that tap `a` of output row or column `h` looks at.
  int64_t seen(int64_t h, int64_t a) const { return p_.options.stride * h + p_.options.dilation * (a - reach()); }
  static bool inside(int64_t i, int64_t size) { return i >= 0 && i < size; }

  double forward(Position at) const {
    double sum = 0;
    for (int64_t a = 0; a < p_.weight[1]; ++a) {
      for (int64_t b = 0; b < p_.weight[2]; ++b) {
        const int64_t row = seen(at.h, a), col = seen(at.w, b);
        if (!inside(row, p_.x[1]) || !inside(col, p_.x[2])) continue;
        for (int64_t i = 0; i < p_.x[3]; ++i) sum += weight_.at(at.c, a, b, i) * x_.at(at.n, row, col, i);
      }
    }
    return sum;
  }
  double dgrad(Position at) const {
    double sum = 0;
    for (int64_t a = 0; a < p_.weight[1]; ++a) {
      for (int64_t b = 0; b < p_.weight[2]; ++b) {
        const int64_t row = at.h - p_.options.dilation * (a - reach()),
                      col = at.w - p_.options.dilation * (b - reach());
        if (row % p_.options.stride != 0 || col % p_.options.stride != 0) continue;
        const int64_t h = row / p_.options.stride, w = col / p_.options.stride;
        if (row < 0 || col < 0 || !inside(h, p_.y[1]) || !inside(w, p_.y[2])) continue;
        for (int64_t o = 0; o < p_.y[3]; ++o) sum += weight_.at(o, a, b, at.c) * y_.at(at.n, h, w, o);
      }
    }
    return sum;
  }
  double wgrad(Position tap) const {
    double sum = 0;
    for (int64_t n = 0; n < p_.x[0]; ++n) {
      for (int64_t h = 0; h < p_.y[1]; ++h) {
        for (int64_t w = 0; w < p_.y[2]; ++w) {
          const int64_t row = seen(h, tap.h), col = seen(w, tap.w);
          if (inside(row, p_.x[1]) && inside(col, p_.x[2])) sum += y_.at(n, h, w, tap.n) * x_.at(n, row, col, tap.c);
        }
      }
    }
    return sum;
  }

  Problem p_;
  HostCopy x_, weight_, y_;
};

Subject prepare(Workbench& bench, const Problem& p) {
  Stream& stream = bench.stream();
  const auto operand = [&](const Shape& shape, DType dtype, bool result) {
    return result ? bench.zeros(shape, dtype) : bench.normal(shape, dtype);
  };
  const bool wgrad = p.pass == Conv2dPass::wgrad;
  const ConvOperands o{.pass = p.pass,
                       .options = p.options,
                       .x = operand(p.x, p.dtype, p.pass == Conv2dPass::dgrad),
                       .weight = operand(p.weight, wgrad ? DType::f32 : p.dtype, wgrad),
                       .y = operand(p.y, p.dtype, p.pass == Conv2dPass::forward)};
  Subject subject;
  subject.allowed = rounding_error(p.dtype);
  subject.yardstick = conv2d_yardstick(bench, o);
  const Tensor workspace =
      bench.workspace(wgrad ? kernels::conv2d_wgrad_workspace_bytes(stream.device(), p.x, p.weight, p.options)
                            : kernels::conv2d_workspace_bytes(stream, o.x, o.weight, p.options));
  const View scratch = workspace ? workspace.view() : View();
  switch (p.pass) {
    case Conv2dPass::forward:
      subject.result = o.y;
      subject.run = [&stream, o, workspace, scratch] {
        kernels::conv2d(stream, o.x, o.weight, {}, o.options, o.y.view(), {}, scratch);
      };
      break;
    case Conv2dPass::dgrad:
      subject.result = o.x;
      subject.run = [&stream, o, workspace, scratch] {
        kernels::conv2d_dgrad(stream, o.y, o.weight, o.options, o.x.view(), {}, scratch);
      };
      break;
    case Conv2dPass::wgrad:
      subject.result = o.weight;
      subject.allowed = 1e-3;  // sums of N H W products in f32
      subject.run = [&stream, o, workspace, scratch] {
        kernels::conv2d_wgrad(stream, o.x, o.y, o.options, o.weight.view(), {}, scratch);
      };
      break;
  }
  subject.error = [&bench, p, o](const Tensor& result) {
    return relative_error(bench.ctx(), result, ExactConv2d(bench.ctx(), p, o));
  };
  return subject;
}

/// A library's convolution that computes less than the row: its result is not compared.
Yardstick unfused(Yardstick bare) {
  if (bare.run) bare.name += ", the convolution alone";
  bare.result = {};
  return bare;
}

Case conv2d_case(const KernelOptions& options, const Layer& layer, Conv2dPass pass, const char* name) {
  const Problem p = problem(options, layer, pass);
  const double weight_bytes = static_cast<double>(p.weight.count()) *
                              static_cast<double>(size_of(pass == Conv2dPass::wgrad ? DType::f32 : p.dtype));
  return {
      .name = fmt::format("{}/{}/{}x{}/{}-{}/k{}d{}s{}/{}", name, layer.network, p.x[1], p.x[2], p.x[3], p.y[3],
                          layer.kernel, layer.dilation, layer.stride, ascore::name(p.dtype)),
      .flops = 2 * static_cast<double>(p.y.count() * p.weight.count() / p.weight[0]),
      .bytes = static_cast<double>(p.x.count() + p.y.count()) * static_cast<double>(size_of(p.dtype)) + weight_bytes,
      .prepare = [p](Workbench& bench) { return prepare(bench, p); }};
}

/// The forward pass with bias, residual and ELU, and the sum beside it; measured against the bare convolution.
Subject prepare_fused(Workbench& bench, const Problem& p) {
  Stream& stream = bench.stream();
  const ConvOperands o{.pass = Conv2dPass::forward,
                       .options = p.options,
                       .x = bench.normal(p.x, p.dtype),
                       .weight = bench.normal(p.weight, p.dtype),
                       .y = bench.zeros(p.y, p.dtype)};
  const Tensor bias = bench.normal({p.y[3]}, DType::f32), residual = bench.normal(p.y, p.dtype);
  const Tensor sum = bench.zeros(p.y, p.dtype);
  const Tensor workspace = bench.workspace(kernels::conv2d_workspace_bytes(stream, o.x, o.weight, p.options));
  const kernels::Conv2dEpilogue epilogue{
      .residual = residual, .activation = Activation::elu, .slope = 0.01, .sum = sum.view()};
  const View scratch = workspace ? workspace.view() : View();
  const auto error = [&bench, p, o, bias, residual](const Tensor& result) {
    const ExactConv2d exact(bench.ctx(), p, o);
    const HostCopy shift(bench.ctx(), bias), added(bench.ctx(), residual);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      const double value = exact(i) + shift[i % p.y[3]] + added[i];
      return value > 0 ? value : std::expm1(value);
    });
  };
  return {.run = [&stream, o, bias, residual, sum, epilogue, workspace,
                  scratch] { kernels::conv2d(stream, o.x, o.weight, bias, o.options, o.y.view(), epilogue, scratch); },
          .result = o.y,
          .error = error,
          .allowed = rounding_error(p.dtype),
          .yardstick = unfused(conv2d_yardstick(bench, o))};
}

void add_fused_cases(const KernelOptions& options, Cases& cases) {
  for (const Layer& layer : kFusedLayers) {
    const Problem p = problem(options, layer, Conv2dPass::forward);
    const double size = static_cast<double>(size_of(p.dtype));
    cases.push_back({fmt::format("conv2d_residual_elu/{}/{}x{}/{}-{}/{}", layer.network, p.x[1], p.x[2], p.x[3], p.y[3],
                                 ascore::name(p.dtype)),
                     2 * static_cast<double>(p.y.count() * p.weight.count() / p.weight[0]),
                     size * static_cast<double>(p.x.count() + 3 * p.y.count() + p.weight.count()),
                     [p](Workbench& bench) { return prepare_fused(bench, p); }});
  }
}

}  // namespace

void add_conv2d_cases(const KernelOptions& options, Cases& cases) {
  constexpr std::array kPasses = {std::pair{Conv2dPass::forward, "conv2d_forward"},
                                  std::pair{Conv2dPass::dgrad, "conv2d_dgrad"},
                                  std::pair{Conv2dPass::wgrad, "conv2d_wgrad"}};
  for (const Layer& layer : kLayers) {
    for (const auto& [pass, name] : kPasses) cases.push_back(conv2d_case(options, layer, pass, name));
  }
  add_fused_cases(options, cases);
}

}  // namespace ascore::bench
