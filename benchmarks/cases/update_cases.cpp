// Passes over all parameters: Adam with the average, the average alone; and spectral normalisation of a critic's
// weight.
#include "benchmarks/measure/sampled_error.hpp"
#include "benchmarks/yardsticks/yardsticks.hpp"
#include "kernels/adam/adam.hpp"
#include "kernels/ema/ema.hpp"
#include "kernels/spectral_norm/spectral_norm.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore::bench {

namespace {

constexpr double kDecay = 0.999, kRate = 1e-3, kRootScale = 1.25;
constexpr kernels::AdamOptions kAdam{.beta1 = 0.5, .beta2 = 0.9, .eps = 1e-8};

struct Network {
  const char* name;
  int64_t parameters;  ///< at width 128
};
constexpr Network kNetworks[] = {{"ncsnv2", 29'694'083}, {"unet", 32'902'787}};

/// State before the first step: what the exact step starts from.
struct AdamState {
  Tensor p, g, m, v, ema;
};

Subject prepare_adam(Workbench& bench, int64_t count) {
  const auto normal = [&] { return bench.normal({count}, DType::f32); };
  const AdamState s{normal(), normal(), normal(), bench.zeros({count}, DType::f32), normal()};
  const Tensor scalars = bench.ctx().scalars({kRate, kRootScale});
  const auto p = std::make_shared<HostCopy>(bench.ctx(), s.p), m = std::make_shared<HostCopy>(bench.ctx(), s.m);
  const auto ema = std::make_shared<HostCopy>(bench.ctx(), s.ema);
  const auto error = [&bench, s, p, m, ema](const Tensor& result) {
    const HostCopy g(bench.ctx(), s.g);
    return relative_error(bench.ctx(), result, [&](int64_t i) {
      const double first = kAdam.beta1 * (*m)[i] + (1 - kAdam.beta1) * g[i];
      const double second = (1 - kAdam.beta2) * g[i] * g[i];
      const double moved = (*p)[i] - kRate * first / (std::sqrt(second) * kRootScale + kAdam.eps);
      return kDecay * (*ema)[i] + (1 - kDecay) * moved;
    });
  };
  return {.run =
              [&stream = bench.stream(), s, scalars] {
                kernels::adam(stream, s.p.view(), s.g, s.m.view(), s.v.view(), {}, s.ema.view(), kDecay, scalars,
                              kAdam);
              },
          .result = s.ema,
          .error = error,
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, 36 * static_cast<double>(count))};
}

Subject prepare_ema(Workbench& bench, int64_t count) {
  const Tensor shadow = bench.normal({count}, DType::f32), p = bench.normal({count}, DType::f32);
  const auto before = std::make_shared<HostCopy>(bench.ctx(), shadow);
  const auto error = [&bench, before, p](const Tensor& result) {
    const HostCopy parameters(bench.ctx(), p);
    return relative_error(bench.ctx(), result,
                          [&](int64_t i) { return kDecay * (*before)[i] + (1 - kDecay) * parameters[i]; });
  };
  return {.run = [&stream = bench.stream(), shadow, p] { kernels::ema(stream, shadow.view(), p, kDecay); },
          .result = shadow,
          .error = error,
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, 12 * static_cast<double>(count))};
}

/// W / sigma in f64, with one step of power iteration from u.
std::vector<double> normalized(const HostCopy& w, const HostCopy& u, int64_t rows, int64_t columns) {
  const auto unit = [](std::vector<double>& a) {
    double squares = 0;
    for (const double x : a) squares += x * x;
    for (double& x : a) x /= std::sqrt(squares);
  };
  std::vector<double> v(static_cast<size_t>(columns)), next(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) v[static_cast<size_t>(c)] += u[r] * w[r * columns + c];
  }
  unit(v);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      next[static_cast<size_t>(r)] += v[static_cast<size_t>(c)] * w[r * columns + c];
  }
  double sigma = 0;  // next W^T v, with next normalised: the length of what it was
  for (const double x : next) sigma += x * x;
  std::vector<double> y(static_cast<size_t>(rows * columns));
  for (int64_t i = 0; i < rows * columns; ++i) y[static_cast<size_t>(i)] = w[i] / std::sqrt(sigma);
  return y;
}

Subject prepare_spectral(Workbench& bench, int64_t rows, int64_t columns) {
  const Tensor w = bench.normal({rows, columns}, DType::f32), u = bench.normal({1, rows}, DType::f32);
  const Tensor y = bench.zeros({rows, columns}, DType::f32), next = bench.zeros({1, rows}, DType::f32);
  const Tensor v = bench.zeros({1, columns}, DType::f32), sigma = bench.zeros({1}, DType::f32);
  const auto error = [&bench, w, u, rows, columns](const Tensor& result) {
    const auto exact = normalized(HostCopy(bench.ctx(), w), HostCopy(bench.ctx(), u), rows, columns);
    return relative_error(bench.ctx(), result, [&](int64_t i) { return exact[static_cast<size_t>(i)]; });
  };
  return {.run = [&stream = bench.stream(), w, u, y, next, v,
                  sigma] { kernels::spectral_norm(stream, w, u, y.view(), next.view(), v.view(), sigma.view()); },
          .result = y,
          .error = error,
          .allowed = 1e-4,
          .yardstick = copy_yardstick(bench, 16 * static_cast<double>(rows * columns))};
}

}  // namespace

void add_update_cases(const KernelOptions& options, Cases& cases) {
  const double scale = static_cast<double>(options.width) / 128;
  for (const Network& network : kNetworks) {
    const int64_t count = std::max<int64_t>(1, std::llround(static_cast<double>(network.parameters) * scale * scale));
    const std::string shape = fmt::format("{}/{}/f32", network.name, count);
    cases.push_back({"adam_ema/" + shape, 0, 36 * static_cast<double>(count),
                     [count](Workbench& bench) { return prepare_adam(bench, count); }});
    cases.push_back({"ema/" + shape, 0, 12 * static_cast<double>(count),
                     [count](Workbench& bench) { return prepare_ema(bench, count); }});
  }
  const int64_t rows = options.channels(256), columns = 9 * options.channels(256);
  cases.push_back({fmt::format("spectral_norm/critic/{}x{}/f32", rows, columns), 0,
                   16 * static_cast<double>(rows * columns),
                   [=](Workbench& bench) { return prepare_spectral(bench, rows, columns); }});
}

}  // namespace ascore::bench
