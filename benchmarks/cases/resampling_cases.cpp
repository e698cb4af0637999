// Pooling and resizing of maps: NCSNv2's refine blocks, UNet, the critic's halvings; joining of UNet's shortcut
// weights.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/bilinear_resize/bilinear_resize.hpp"
#include "kernels/concat/concat.hpp"
#include "kernels/max_pool5/max_pool5.hpp"
#include "kernels/pool2/pool2.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

using Copies = std::shared_ptr<HostCopy>;

/// The value that an operation should give at a position of its result.
using ExactAt = std::function<double(const HostCopy& input, const Position& at)>;

double bytes(const Shape& shape, DType dtype) {
  return static_cast<double>(shape.count()) * static_cast<double>(size_of(dtype));
}

/// An operation of one input and one result.
Subject unary(Workbench& bench, const Shape& in, const Shape& out, double moved,
              const std::function<void(Stream&, const Tensor& x, View y)>& run, const ExactAt& exact) {
  const DType dtype = bench.options().dtype;
  const Tensor x = bench.normal(in, dtype), y = bench.zeros(out, dtype);
  return {.run = [&stream = bench.stream(), x, y, run] { run(stream, x, y.view()); },
          .result = y,
          .error =
              [&bench, x, exact](const Tensor& result) {
                const Copies input = std::make_shared<HostCopy>(bench.ctx(), x);
                return relative_error(bench.ctx(), result,
                                      [&](int64_t i) { return exact(*input, position(result.shape(), i)); });
              },
          .allowed = rounding_error(dtype),
          .yardstick = copy_yardstick(bench, moved)};
}

double mean_of_block(const HostCopy& x, const Position& p) {
  double sum = 0;
  for (const int64_t i : {0, 1}) {
    for (const int64_t j : {0, 1}) sum += x.at(p.n, 2 * p.h + i, 2 * p.w + j, p.c);
  }
  return sum / 4;
}

/// Row and column of the maximum of the 5x5 window around (h,w): of equal ones, the first.
std::pair<int64_t, int64_t> winner(const HostCopy& x, const Position& p) {
  std::pair<int64_t, int64_t> best{-1, -1};
  double largest = -INFINITY;
  for (int64_t h = std::max<int64_t>(0, p.h - 2); h <= std::min(p.h + 2, x.shape()[1] - 1); ++h) {
    for (int64_t w = std::max<int64_t>(0, p.w - 2); w <= std::min(p.w + 2, x.shape()[2] - 1); ++w) {
      if (const double value = x.at(p.n, h, w, p.c); value > largest) largest = value, best = {h, w};
    }
  }
  return best;
}

/// Weight of input row `i` of `in` in output row `o` of `out`, corners aligned.
double weight(int64_t i, int64_t in, int64_t o, int64_t out) {
  const double at = out > 1 ? static_cast<double>(o * (in - 1)) / static_cast<double>(out - 1) : 0;
  return std::max(0.0, 1 - std::abs(at - static_cast<double>(i)));
}

double resized(const HostCopy& x, const Position& p, int64_t height, int64_t width) {
  double sum = 0;
  for (int64_t h = 0; h < x.shape()[1]; ++h) {
    for (int64_t w = 0; w < x.shape()[2]; ++w) {
      const double share = weight(h, x.shape()[1], p.h, height) * weight(w, x.shape()[2], p.w, width);
      if (share > 0) sum += share * x.at(p.n, h, w, p.c);
    }
  }
  return sum;
}

/// Gradient of `resized`: of dy, at a pixel of an input of that height and width.
double resized_gradient(const HostCopy& dy, const Position& p, int64_t height, int64_t width) {
  double sum = 0;
  for (int64_t h = 0; h < dy.shape()[1]; ++h) {
    for (int64_t w = 0; w < dy.shape()[2]; ++w) {
      sum += weight(p.h, height, h, dy.shape()[1]) * weight(p.w, width, w, dy.shape()[2]) * dy.at(p.n, h, w, p.c);
    }
  }
  return sum;
}

Subject max_pool5_backward(Workbench& bench, const Shape& shape) {
  const DType dtype = bench.options().dtype;
  Stream& stream = bench.stream();
  const Tensor x = bench.normal(shape, dtype), y = bench.zeros(shape, dtype), won = bench.zeros(shape, DType::u8);
  const Tensor dy = bench.normal(shape, dtype), dx = bench.zeros(shape, dtype);
  kernels::max_pool5(stream, x, y.view(), won.view());
  const auto error = [&bench, x, dy](const Tensor& result) {
    const HostCopy input(bench.ctx(), x), gradient(bench.ctx(), dy);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      const Position p = position(x.shape(), i);
      double sum = 0;
      for (int64_t h = std::max<int64_t>(0, p.h - 2); h <= std::min(p.h + 2, x.dim(1) - 1); ++h) {
        for (int64_t w = std::max<int64_t>(0, p.w - 2); w <= std::min(p.w + 2, x.dim(2) - 1); ++w) {
          if (winner(input, {p.n, h, w, p.c}) == std::pair{p.h, p.w}) sum += gradient.at(p.n, h, w, p.c);
        }
      }
      return sum;
    });
  };
  return {.run = [&stream, won, dy, dx] { kernels::max_pool5_backward(stream, won, dy, dx.view()); },
          .result = dx,
          .error = error,
          .allowed = rounding_error(dtype),
          .yardstick = copy_yardstick(bench, 2 * bytes(shape, dtype) + static_cast<double>(shape.count()))};
}

Subject concat(Workbench& bench, const Shape& first, const Shape& second) {
  const DType dtype = bench.options().dtype;
  Stream& stream = bench.stream();
  const Tensor a = bench.normal(first, dtype), b = bench.normal(second, dtype);
  const Tensor y = bench.zeros({first[0], first[1], first[2], first[3] + second[3]}, dtype);
  const auto error = [&bench, a, b](const Tensor& result) {
    const HostCopy left(bench.ctx(), a), right(bench.ctx(), b);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      const Position p = position(result.shape(), i);
      return p.c < a.dim(3) ? left.at(p.n, p.h, p.w, p.c) : right.at(p.n, p.h, p.w, p.c - a.dim(3));
    });
  };
  return {.run = [&stream, a, b, y] { kernels::concat_channels(stream, a, b, y.view()); },
          .result = y,
          .error = error,
          .allowed = rounding_error(dtype),
          .yardstick = copy_yardstick(bench, 2 * bytes(y.shape(), dtype))};
}

class Adder {
 public:
  Adder(const KernelOptions& options, Cases& cases) : options_(options), cases_(cases) {}

  Shape map(int64_t size, int64_t channels) const {
    return {options_.batch, options_.side(size), options_.side(size), options_.channels(channels)};
  }
  double bytes_of(const Shape& shape) const { return bytes(shape, options_.dtype); }
  void add(const std::string& operation, const Shape& shape, double moved,
           const std::function<Subject(Workbench&)>& prepare) {
    cases_.push_back({fmt::format("{}/{}x{}x{}/{}", operation, shape[1], shape[2], shape[3], name(options_.dtype)), 0,
                      moved, prepare});
  }
  void add_unary(const std::string& operation, const Shape& in, const Shape& out,
                 const std::function<void(Stream&, const Tensor& x, View y)>& run, const ExactAt& exact) {
    const double moved = bytes_of(in) + bytes_of(out);
    add(operation, in, moved, [=](Workbench& bench) { return unary(bench, in, out, moved, run, exact); });
  }

 private:
  const KernelOptions& options_;
  Cases& cases_;
};

/// The map at twice the height and width.
Shape doubled(const Shape& map) {
  return {map[0], 2 * map[1], 2 * map[2], map[3]};
}

}  // namespace

void add_resampling_cases(const KernelOptions& options, Cases& cases) {
  Adder adder(options, cases);
  for (const auto& [size, channels] : {std::pair{16, 256}, {16, 128}, {32, 128}}) {
    const Shape shape = adder.map(size, channels);
    const double winners = static_cast<double>(shape.count());
    adder.add("max_pool5_forward/ncsnv2", shape, 2 * adder.bytes_of(shape) + winners, [=](Workbench& bench) {
      const Tensor won = bench.zeros(shape, DType::u8);
      const auto pool = [won](Stream& stream, const Tensor& x, View y) {
        kernels::max_pool5(stream, x, y, won.view());
      };
      return unary(bench, shape, shape, 2 * bytes(shape, bench.options().dtype) + winners, pool,
                   [](const HostCopy& x, const Position& p) {
                     const auto [h, w] = winner(x, p);
                     return x.at(p.n, h, w, p.c);
                   });
    });
    adder.add("max_pool5_backward/ncsnv2", shape, 2 * adder.bytes_of(shape) + winners,
              [=](Workbench& bench) { return max_pool5_backward(bench, shape); });
  }
  for (const auto& [network, size, channels] : {std::tuple{"ncsnv2", 16, 256}, {"critic", 8, 256}}) {
    const Shape small = adder.map(size, channels), large = doubled(small);
    adder.add_unary(
        fmt::format("mean_pool2_forward/{}", network), large, small,
        [](Stream& stream, const Tensor& x, View y) { kernels::pool2_sum(stream, x, 0.25, y); }, mean_of_block);
    adder.add_unary(
        fmt::format("mean_pool2_backward/{}", network), small, large,
        [](Stream& stream, const Tensor& x, View y) { kernels::pool2_spread(stream, x, 0.25, y); },
        [](const HostCopy& x, const Position& p) { return x.at(p.n, p.h / 2, p.w / 2, p.c) / 4; });
  }
  for (const int64_t size : {4, 8, 16}) {
    const Shape small = adder.map(size, 256), large = doubled(small);
    adder.add_unary(
        "nearest2_forward/unet", small, large,
        [](Stream& stream, const Tensor& x, View y) { kernels::pool2_spread(stream, x, 1, y); },
        [](const HostCopy& x, const Position& p) { return x.at(p.n, p.h / 2, p.w / 2, p.c); });
    adder.add_unary(
        "nearest2_backward/unet", large, small,
        [](Stream& stream, const Tensor& x, View y) { kernels::pool2_sum(stream, x, 1, y); },
        [](const HostCopy& x, const Position& p) { return 4 * mean_of_block(x, p); });
  }
  const Shape small = adder.map(16, 128), large = doubled(small);
  adder.add_unary(
      "bilinear_forward/ncsnv2", small, large,
      [](Stream& stream, const Tensor& x, View y) { kernels::bilinear_resize(stream, x, y); },
      [=](const HostCopy& x, const Position& p) { return resized(x, p, large[1], large[2]); });
  adder.add_unary(
      "bilinear_backward/ncsnv2", large, small,
      [](Stream& stream, const Tensor& x, View y) { kernels::bilinear_resize_backward(stream, x, y); },
      [=](const HostCopy& x, const Position& p) { return resized_gradient(x, p, small[1], small[2]); });
  for (const auto& [outputs, channels, skip] :
       {std::tuple{128, 256, 128}, {128, 128, 128}, {256, 256, 256}, {256, 256, 128}}) {
    const Shape first{options.channels(outputs), 1, 1, options.channels(channels)};
    const Shape second{first[0], 1, 1, options.channels(skip)};
    const Shape both{first[0], first[1], first[2], first[3] + second[3]};
    adder.add("concat/unet", both, 2 * adder.bytes_of(both),
              [=](Workbench& bench) { return concat(bench, first, second); });
  }
}

}  // namespace ascore::bench
