// Passes over whole activations: ELU, residual sums, conversions. In the networks most of them are fused into others.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/activation/activation.hpp"
#include "kernels/cast/cast.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

/// f32, as first and last convolutions have it, in the networks' type.
Subject prepare_cast(Workbench& bench, const Shape& shape, double moved) {
  const Tensor x = bench.normal(shape, DType::f32), y = bench.zeros(shape, DType::bf16);
  return {.run = [&stream = bench.stream(), x, y] { kernels::cast(stream, x, y.view()); },
          .result = y,
          .error =
              [&bench, x](const Tensor& result) {
                const HostCopy exact(bench.ctx(), x);
                return relative_error(bench.ctx(), result, [&](int64_t i) { return exact[i]; });
              },
          .allowed = rounding_error(DType::bf16),
          .yardstick = copy_yardstick(bench, moved)};
}

struct Operation {
  const char* name;
  void (*run)(Stream& stream, const Tensor& a, const Tensor& b, View y);
  double (*exact)(double a, double b);
  int inputs;
};

/// `a` is ELU's output in its backward pass, so that it lies where outputs lie: above -1.
const Operation kOperations[] = {
    {"elu_forward",
     [](Stream& stream, const Tensor& a, const Tensor&, View y) {
       kernels::activation(stream, a, Activation::elu, 0, y);
     },
     [](double a, double) { return a > 0 ? a : std::expm1(a); }, 1},
    {"elu_backward",
     [](Stream& stream, const Tensor& a, const Tensor& b, View y) {
       kernels::activation_backward(stream, a, b, Activation::elu, 0, y);
     },
     [](double a, double b) { return b * (a > 0 ? 1 : a + 1); }, 2},
    {"residual_add",
     [](Stream& stream, const Tensor& a, const Tensor& b, View y) { kernels::scaled_add(stream, 1, a, 1, b, y); },
     [](double a, double b) { return a + b; }, 2},
};

Subject prepare(Workbench& bench, const Operation& operation, const Shape& shape, double moved) {
  const DType dtype = bench.options().dtype;
  const Tensor a = bench.normal(shape, dtype), b = bench.normal(shape, dtype), y = bench.zeros(shape, dtype);
  return {.run = [&stream = bench.stream(), &operation, a, b, y] { operation.run(stream, a, b, y.view()); },
          .result = y,
          .error =
              [&bench, &operation, a, b](const Tensor& result) {
                const HostCopy left(bench.ctx(), a), right(bench.ctx(), b);
                return relative_error(bench.ctx(), result,
                                      [&](int64_t i) { return operation.exact(left[i], right[i]); });
              },
          .allowed = rounding_error(dtype),
          .yardstick = copy_yardstick(bench, moved)};
}

}  // namespace

void add_pointwise_cases(const KernelOptions& options, Cases& cases) {
  const Shape first{options.batch, options.side(32), options.side(32), options.channels(128)};
  const double cast_bytes = 6 * static_cast<double>(first.count());
  cases.push_back({fmt::format("cast/ncsnv2/{}x{}x{}/f32-bf16", first[1], first[2], first[3]), 0, cast_bytes,
                   [=](Workbench& bench) { return prepare_cast(bench, first, cast_bytes); }});
  for (const Operation& operation : kOperations) {
    for (const auto& [size, channels] : {std::pair{32, 128}, {16, 256}}) {
      const Shape shape{options.batch, options.side(size), options.side(size), options.channels(channels)};
      const double moved = static_cast<double>(operation.inputs + 1) * static_cast<double>(shape.count()) *
                           static_cast<double>(size_of(options.dtype));
      cases.push_back(
          {fmt::format("{}/ncsnv2/{}x{}x{}/{}", operation.name, shape[1], shape[2], shape[3], name(options.dtype)), 0,
           moved, [&operation, shape, moved](Workbench& bench) { return prepare(bench, operation, shape, moved); }});
    }
  }
}

}  // namespace ascore::bench
