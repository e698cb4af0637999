// UNet's attention: single head, N = 16x16 and 4x4 pixels, d = 256.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/attention/attention.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

struct Problem {
  int64_t images, pixels, channels;
  DType dtype;
  double scale() const { return 1 / std::sqrt(static_cast<double>(channels)); }
  Shape shape() const { return {images, pixels, channels}; }
};

struct Operands {
  Tensor q, k, v, y, lse, dy, dq, dk, dv;
};

/// Attention of one image in f64.
class ExactAttention {
 public:
  ExactAttention(Ctx& ctx, const Problem& p, const Operands& o)
      : p_(p), q_(ctx, o.q), k_(ctx, o.k), v_(ctx, o.v), dy_(ctx, o.dy) {}

  /// exp(S[m,.] - lse[m]) of image n.
  std::vector<double> weights(int64_t n, int64_t m) const {
    std::vector<double> weights(static_cast<size_t>(p_.pixels));
    double largest = -INFINITY, sum = 0;
    for (int64_t p = 0; p < p_.pixels; ++p) {
      weights[static_cast<size_t>(p)] = p_.scale() * dot(q_, n, m, k_, n, p);
      largest = std::max(largest, weights[static_cast<size_t>(p)]);
    }
    for (double& w : weights) sum += w = std::exp(w - largest);
    for (double& w : weights) w /= sum;
    return weights;
  }
  double y(int64_t n, int64_t m, int64_t c) const {
    const std::vector<double> w = weights(n, m);
    double sum = 0;
    for (int64_t p = 0; p < p_.pixels; ++p) sum += w[static_cast<size_t>(p)] * at(v_, n, p, c);
    return sum;
  }
  double dq(int64_t n, int64_t m, int64_t c) const {
    const std::vector<double> w = weights(n, m);
    std::vector<double> dp(w.size());
    double delta = 0, sum = 0;
    for (int64_t p = 0; p < p_.pixels; ++p) {
      dp[static_cast<size_t>(p)] = dot(dy_, n, m, v_, n, p);
      delta += w[static_cast<size_t>(p)] * dp[static_cast<size_t>(p)];
    }
    for (int64_t p = 0; p < p_.pixels; ++p) {
      sum += w[static_cast<size_t>(p)] * (dp[static_cast<size_t>(p)] - delta) * at(k_, n, p, c);
    }
    return p_.scale() * sum;
  }

 private:
  double at(const HostCopy& x, int64_t n, int64_t m, int64_t c) const {
    return x[(n * p_.pixels + m) * p_.channels + c];
  }
  double dot(const HostCopy& a, int64_t n, int64_t m, const HostCopy& b, int64_t other, int64_t p) const {
    double sum = 0;
    for (int64_t c = 0; c < p_.channels; ++c) sum += at(a, n, m, c) * at(b, other, p, c);
    return sum;
  }

  Problem p_;
  HostCopy q_, k_, v_, dy_;
};

/// Element i of y or dq of the problem.
Reference exact(Ctx& ctx, const Problem& p, const Operands& o,
                double (ExactAttention::*element)(int64_t, int64_t, int64_t) const) {
  return [p, element, all = std::make_shared<ExactAttention>(ctx, p, o)](int64_t i) {
    const int64_t row = i / p.channels;
    return ((*all).*element)(row / p.pixels, row % p.pixels, i % p.channels);
  };
}

Operands operands(Workbench& bench, const Problem& p) {
  const auto normal = [&] { return bench.normal(p.shape(), p.dtype); };
  const auto zeros = [&] { return bench.zeros(p.shape(), p.dtype); };
  return {.q = normal(),
          .k = normal(),
          .v = normal(),
          .y = zeros(),
          .lse = bench.zeros({p.images, p.pixels}, DType::f32),
          .dy = normal(),
          .dq = zeros(),
          .dk = zeros(),
          .dv = zeros()};
}

void forward(Stream& stream, const Problem& p, const Operands& o) {
  kernels::attention(stream, o.q, o.k, o.v, p.scale(), o.y.view(), o.lse.view());
}

Subject prepare_forward(Workbench& bench, const Problem& p) {
  const Operands o = operands(bench, p);
  return {.run = [&stream = bench.stream(), p, o] { forward(stream, p, o); },
          .result = o.y,
          .error =
              [&bench, p, o](const Tensor& result) {
                return relative_error(bench.ctx(), result, exact(bench.ctx(), p, o, &ExactAttention::y));
              },
          .allowed = rounding_error(p.dtype),
          .yardstick = attention_yardstick(bench, o.q, o.k, o.v, p.scale())};
}

Subject prepare_backward(Workbench& bench, const Problem& p) {
  const Operands o = operands(bench, p);
  const Tensor workspace = bench.workspace(kernels::attention_backward_workspace_bytes(p.shape(), p.dtype));
  forward(bench.stream(), p, o);
  return {.run =
              [&stream = bench.stream(), p, o, workspace] {
                kernels::attention_backward(stream, o.q, o.k, o.v, p.scale(), o.y, o.lse, o.dy, o.dq.view(),
                                            o.dk.view(), o.dv.view(), workspace.view());
              },
          .result = o.dq,
          .error =
              [&bench, p, o](const Tensor& result) {
                return relative_error(bench.ctx(), result, exact(bench.ctx(), p, o, &ExactAttention::dq));
              },
          // delta is a sum of products of rounded y, and what is left of dp - delta is smaller than either.
          .allowed = p.dtype == DType::bf16 ? 3e-2 : 1e-4,
          .yardstick = {bench.stream().device() == Device::cuda ? "PyTorch's: benchmarks/peers/attention.py"
                                                                : "none: Eigen has no gradients"}};
}

}  // namespace

void add_attention_cases(const KernelOptions& options, Cases& cases) {
  for (const int64_t size : {16, 4}) {
    const int64_t side = std::max<int64_t>(2, options.side(size));  // of one pixel alone dq is zero
    const Problem p{options.batch, side * side, options.channels(256), options.dtype};
    const double tensor = static_cast<double>(p.shape().count()) * static_cast<double>(size_of(p.dtype));
    const double product = 2 * static_cast<double>(p.images * p.pixels * p.pixels * p.channels);
    const std::string shape = fmt::format("unet/{}x{}x{}/{}", p.images, p.pixels, p.channels, ascore::name(p.dtype));
    cases.push_back({"attention_forward/" + shape, 2 * product, 4 * tensor,
                     [p](Workbench& bench) { return prepare_forward(bench, p); }});
    cases.push_back({"attention_backward/" + shape, 5 * product, 8 * tensor,
                     [p](Workbench& bench) { return prepare_backward(bench, p); }});
  }
}

}  // namespace ascore::bench
