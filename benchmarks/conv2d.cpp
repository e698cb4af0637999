#include "kernels/conv2d/conv2d.hpp"

#include "benchmarks/commands.hpp"
#include "benchmarks/timing.hpp"
#include "engine/autograd/context.hpp"
#include "kernels/core/error.hpp"
#include "kernels/random_fill/random_fill.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

struct Case {
  int64_t size, in, out, kernel;
  int dilation;
};

struct Problem {
  Problem(Ctx& ctx, const Case& c, int64_t batch)
      : x(normal(ctx, {batch, c.size, c.size, c.in}, 1)),
        weight(normal(ctx, {c.out, c.kernel, c.kernel, c.in}, 2)),
        dy(normal(ctx, {batch, c.size, c.size, c.out}, 3)),
        y(ctx.empty_like(dy)),
        dx(ctx.empty_like(x)),
        dweight(ctx.empty_like(weight)) {
    weight.mark_changed();
  }
  static Tensor normal(Ctx& ctx, const Shape& shape, uint64_t seed) {
    Tensor values = ctx.empty(shape, DType::f32);
    kernels::random_normal(ctx.stream, {.seed = seed}, 0, 1, values);
    return values;
  }
  Tensor x, weight, dy, y, dx, dweight;
};

double dot(Ctx& ctx, const Tensor& a, const Tensor& b) {
  const std::vector<double> left = ctx.to_host(a), right = ctx.to_host(b);
  double sum = 0;
  for (size_t i = 0; i < left.size(); ++i) sum += left[i] * right[i];
  return sum;
}

/// The three passes are one trilinear form: <dy, y> = <dx, x> = <dweight, weight>. Throws Error if they disagree.
void check(Ctx& ctx, const Problem& p, const Case& c) {
  const double forward = dot(ctx, p.dy, p.y), dgrad = dot(ctx, p.dx, p.x), wgrad = dot(ctx, p.dweight, p.weight);
  const double scale = std::sqrt(static_cast<double>(p.y.count() * c.in * c.kernel * c.kernel));
  if (std::abs(forward - dgrad) > 1e-4 * scale || std::abs(forward - wgrad) > 1e-4 * scale) {
    throw Error(fmt::format("conv2d {}->{}: passes disagree: {} {} {}", c.in, c.out, forward, dgrad, wgrad));
  }
}

}  // namespace

void conv2d(Options& options) {
  const int64_t batch = options.get("batch", 4), width = options.get("width", 128),
                repeats = options.get("repeats", 15);
  Stream stream(Device::cpu, {.threads = static_cast<int>(options.get("threads", 0))});
  options.check_all_used();
  const auto allocator = make_pool_allocator(Device::cpu);
  Ctx ctx{.stream = stream, .allocator = *allocator};
  const std::initializer_list<Case> cases{
      {32, 3, width, 3, 1},
      {32, width, width, 3, 1},
      {32, width, 2 * width, 3, 1},
      {16, 2 * width, 2 * width, 3, 1},
      {16, 2 * width, 2 * width, 3, 2},
      {16, 2 * width, 2 * width, 3, 4},
      {32, width, 2 * width, 1, 1},
      {32, width, 3, 3, 1},
  };
  for (const Case& c : cases) {
    const Problem p(ctx, c, batch);
    const auto time = [&](auto body) { return median_ms(3, repeats, body); };
    const double forward =
        time([&] { kernels::conv2d(stream, p.x, p.weight, {}, {.dilation = c.dilation}, p.y.view()); });
    const double dgrad =
        time([&] { kernels::conv2d_dgrad(stream, p.dy, p.weight, {.dilation = c.dilation}, p.dx.view()); });
    const double wgrad =
        time([&] { kernels::conv2d_wgrad(stream, p.x, p.dy, {.dilation = c.dilation}, p.dweight.view(), {}, {}); });
    check(ctx, p, c);
    const double gflop = 2e-9 * static_cast<double>(p.y.count() * c.in * c.kernel * c.kernel);
    fmt::print(
        "{}x{} {:3}->{:3} k{} d{}  forward {:7.2f} ms {:4.0f} GFLOP/s  dgrad {:7.2f} ms {:4.0f}  wgrad {:7.2f} ms "
        "{:4.0f}\n",
        c.size, c.size, c.in, c.out, c.kernel, c.dilation, forward, gflop / forward * 1e3, dgrad, gflop / dgrad * 1e3,
        wgrad, gflop / wgrad * 1e3);
  }
}

}  // namespace ascore::bench
