// What only critics do: batch norm (DCGAN), 2x2 maxima in front of attention and the sum over pixels at the end
// (BigGAN).
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/batch_norm/batch_norm.hpp"
#include "kernels/max_pool2/max_pool2.hpp"
#include "kernels/pixel_sum/pixel_sum.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

constexpr double kEps = 1e-5, kMomentum = 0.1;

double bytes(const Shape& shape, DType dtype) {
  return static_cast<double>(shape.count()) * static_cast<double>(size_of(dtype));
}

struct BatchNormOperands {
  Tensor x, gamma, beta, y, mean, rstd, running_mean, running_var, dy, dx, dgamma, dbeta;
};

BatchNormOperands batch_norm_operands(Workbench& bench, const Shape& shape) {
  const DType dtype = bench.options().dtype;
  const auto vector = [&] { return bench.zeros({shape[3]}, DType::f32); };
  return {.x = bench.normal(shape, dtype),
          .gamma = bench.normal({shape[3]}, DType::f32),
          .beta = bench.normal({shape[3]}, DType::f32),
          .y = bench.zeros(shape, dtype),
          .mean = vector(),
          .rstd = vector(),
          .running_mean = vector(),
          .running_var = vector(),
          .dy = bench.normal(shape, dtype),
          .dx = bench.zeros(shape, dtype),
          .dgamma = vector(),
          .dbeta = vector()};
}

/// Batch normalisation in f64, channel by channel.
class ExactBatchNorm {
 public:
  ExactBatchNorm(Ctx& ctx, const BatchNormOperands& o)
      : x_(ctx, o.x), gamma_(ctx, o.gamma), beta_(ctx, o.beta), dy_(ctx, o.dy) {}

  double y(int64_t i) const { return gamma_[channel(i)] * normal(i, moments(channel(i))) + beta_[channel(i)]; }
  double dx(int64_t i) const {
    const Moments m = moments(channel(i));
    double sum = 0, product = 0, count = 0;
    for (int64_t k = channel(i); k < x_.shape().count(); k += x_.shape()[3]) {
      sum += dy_[k];
      product += dy_[k] * normal(k, m);
      ++count;
    }
    return gamma_[channel(i)] * m.rstd * (dy_[i] - sum / count - normal(i, m) * product / count);
  }

 private:
  struct Moments {
    double mean, rstd;
  };
  int64_t channel(int64_t i) const { return i % x_.shape()[3]; }
  double normal(int64_t i, const Moments& m) const { return (x_[i] - m.mean) * m.rstd; }
  Moments moments(int64_t c) const {
    const int64_t all = x_.shape().count(), step = x_.shape()[3];
    const double count = static_cast<double>(all / step);
    double mean = 0, squares = 0;
    for (int64_t i = c; i < all; i += step) mean += x_[i] / count;
    for (int64_t i = c; i < all; i += step) squares += (x_[i] - mean) * (x_[i] - mean);
    return {mean, 1 / std::sqrt(squares / count + kEps)};
  }

  HostCopy x_, gamma_, beta_, dy_;
};

Subject prepare_batch_norm(Workbench& bench, const Shape& shape, bool backward) {
  const DType dtype = bench.options().dtype;
  Stream& stream = bench.stream();
  const BatchNormOperands o = batch_norm_operands(bench, shape);
  const Tensor workspace = bench.workspace(kernels::batch_norm_workspace_bytes(shape, dtype));
  const auto error = [&bench, o, backward](const Tensor& result) {
    const ExactBatchNorm exact(bench.ctx(), o);
    return relative_error(bench.ctx(), result, [&](int64_t i) { return backward ? exact.dx(i) : exact.y(i); });
  };
  Subject subject{.run =
                      [&stream, o, workspace] {
                        kernels::batch_norm(stream, o.x, o.gamma, o.beta, kEps, kMomentum, o.y.view(), o.mean.view(),
                                            o.rstd.view(), o.running_mean.view(), o.running_var.view(),
                                            workspace.view());
                      },
                  .result = backward ? o.dx : o.y,
                  .error = error,
                  .allowed = rounding_error(dtype),
                  .yardstick = copy_yardstick(bench, (backward ? 3 : 2) * bytes(shape, dtype))};
  if (!backward) return subject;
  subject.run();
  const Tensor scratch = bench.workspace(kernels::batch_norm_backward_workspace_bytes(shape, dtype));
  subject.run = [&stream, o, scratch] {
    kernels::batch_norm_backward(stream, kernels::BatchStatistics::of_the_batch, o.x, o.gamma, o.mean, o.rstd, o.dy,
                                 o.dx.view(), o.dgamma.view(), o.dbeta.view(), scratch.view());
  };
  return subject;
}

/// The first of the largest pixels of a block, in row order: 2i + j.
int64_t winner(const HostCopy& x, const Position& block) {
  int64_t best = 0;
  double largest = -INFINITY;
  for (int64_t k = 0; k < 4; ++k) {
    const double value = x.at(block.n, 2 * block.h + k / 2, 2 * block.w + k % 2, block.c);
    if (value > largest) largest = value, best = k;
  }
  return best;
}

Subject prepare_max_pool2(Workbench& bench, const Shape& in, bool backward) {
  const DType dtype = bench.options().dtype;
  const Shape out{in[0], in[1] / 2, in[2] / 2, in[3]};
  Stream& stream = bench.stream();
  const Tensor x = bench.normal(in, dtype), y = bench.zeros(out, dtype), won = bench.zeros(out, DType::u8);
  const Tensor dy = bench.normal(out, dtype), dx = bench.zeros(in, dtype);
  const auto pool = [&stream, x, y, won] { kernels::max_pool2(stream, x, y.view(), won.view()); };
  const auto error = [&bench, x, dy, backward](const Tensor& result) {
    const HostCopy input(bench.ctx(), x), gradient(bench.ctx(), dy);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      const Position p = position(result.shape(), i);
      if (!backward) {
        const int64_t k = winner(input, p);
        return input.at(p.n, 2 * p.h + k / 2, 2 * p.w + k % 2, p.c);
      }
      const Position block{p.n, p.h / 2, p.w / 2, p.c};
      const bool won_here = winner(input, block) == 2 * (p.h % 2) + p.w % 2;
      return won_here ? gradient.at(block.n, block.h, block.w, block.c) : 0.0;
    });
  };
  const double moved = bytes(in, dtype) + bytes(out, dtype) + static_cast<double>(out.count());
  Subject subject{.run = pool,
                  .result = backward ? dx : y,
                  .error = error,
                  .allowed = rounding_error(dtype),
                  .yardstick = copy_yardstick(bench, moved)};
  if (!backward) return subject;
  pool();
  subject.run = [&stream, won, dy, dx] { kernels::max_pool2_backward(stream, won, dy, dx.view()); };
  return subject;
}

Subject prepare_pixel_sum(Workbench& bench, const Shape& shape, bool backward) {
  const DType dtype = bench.options().dtype;
  Stream& stream = bench.stream();
  const Shape sums{shape[0], shape[3]};
  const Tensor x = bench.normal(backward ? sums : shape, dtype), y = bench.zeros(backward ? shape : sums, dtype);
  const auto error = [&bench, x, shape, backward](const Tensor& result) {
    const HostCopy input(bench.ctx(), x);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      const int64_t channel = i % shape[3];
      if (backward) return input[position(result.shape(), i).n * shape[3] + channel];
      double sum = 0;
      for (int64_t p = 0; p < shape[1] * shape[2]; ++p) {
        sum += input[(i / shape[3] * shape[1] * shape[2] + p) * shape[3] + channel];
      }
      return sum;
    });
  };
  return {.run =
              [&stream, x, y, backward] {
                if (backward) return kernels::pixel_sum_backward(stream, x, y.view());
                kernels::pixel_sum(stream, x, y.view());
              },
          .result = y,
          .error = error,
          .allowed = rounding_error(dtype),
          .yardstick = copy_yardstick(bench, bytes(shape, dtype) + bytes(sums, dtype))};
}

}  // namespace

void add_critic_cases(const KernelOptions& options, Cases& cases) {
  const auto map = [&](int64_t size, int64_t channels) {
    return Shape{options.batch, options.side(size), options.side(size), options.channels(channels)};
  };
  const auto add = [&](const char* operation, const char* critic, const Shape& shape, bool backward, double moved,
                       auto prepare) {
    cases.push_back({fmt::format("{}_{}/{}/{}x{}x{}/{}", operation, backward ? "backward" : "forward", critic, shape[1],
                                 shape[2], shape[3], ascore::name(options.dtype)),
                     0, moved, [=](Workbench& bench) { return prepare(bench, shape, backward); }});
  };
  for (const bool backward : {false, true}) {
    for (const Shape& shape : {map(32, 64), map(16, 128), map(8, 256)}) {
      add("batch_norm", "dcgan", shape, backward, (backward ? 3 : 2) * bytes(shape, options.dtype), prepare_batch_norm);
    }
    for (const Shape& shape : {map(16, 32), map(16, 128)}) {
      const auto outputs = static_cast<double>(shape.count() / 4);
      add("max_pool2", "biggan", shape, backward, 1.25 * bytes(shape, options.dtype) + outputs, prepare_max_pool2);
    }
    const Shape last = map(4, 1024), sums{last[0], last[3]};
    add("pixel_sum", "biggan", last, backward, bytes(last, options.dtype) + bytes(sums, options.dtype),
        prepare_pixel_sum);
  }
}

}  // namespace ascore::bench
