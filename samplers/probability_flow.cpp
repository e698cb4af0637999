#include "samplers/probability_flow.hpp"

#include "kernels/core/error.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

std::vector<double> flow_levels(double begin, double end, int count) {
  if (!(std::isfinite(begin) && begin > end && end > 0) || count < 1) {
    throw ConfigError(fmt::format(
        "{} levels of the probability flow from {} to {}: need at least one, from above to below, both positive", count,
        begin, end));
  }
  constexpr double kRho = 7;
  const double first = std::pow(begin, 1 / kRho), last = std::pow(end, 1 / kRho);
  std::vector<double> levels(static_cast<size_t>(count), begin);
  for (int i = 1; i < count; ++i) {
    levels[static_cast<size_t>(i)] = std::pow(first + (last - first) * i / (count - 1), kRho);
  }
  if (count > 1) levels.back() = end;
  return levels;
}

Samples probability_flow(Ctx& ctx, const ScoreFn& score, std::span<const double> sigmas, FlowMethod method, Tensor x,
                         const StepObserver& observe) {
  if (sigmas.empty()) throw ConfigError("probability flow: no noise levels");
  // A step from sigma to sigma' moves x by (sigma' - sigma) dx/dsigma.
  for (size_t i = 0; i + 1 < sigmas.size(); ++i) {
    const double sigma = sigmas[i], next = sigmas[i + 1], fall = sigma - next;
    const Tensor above = score(ctx, x, sigma);
    if (method == FlowMethod::euler) {
      kernels::scaled_add(ctx.stream, 1.0, x, fall * sigma, above, x);
    } else {
      Tensor ahead = ctx.empty_like(x);
      kernels::scaled_add(ctx.stream, 1.0, x, fall * sigma, above, ahead);
      const Tensor below = score(ctx, ahead, next);
      kernels::scaled_add(ctx.stream, 1.0, x, fall * sigma / 2, above, x);
      kernels::scaled_add(ctx.stream, 1.0, x, fall * next / 2, below, x);
    }
    if (observe) observe(i, x);
  }
  const double last = sigmas.back();
  Tensor denoised = ctx.empty_like(x);
  kernels::scaled_add(ctx.stream, 1.0, x, last * last, score(ctx, x, last), denoised);
  if (observe) observe(sigmas.size() - 1, denoised);
  return {.plain = x, .denoised = denoised};
}

}  // namespace ascore
