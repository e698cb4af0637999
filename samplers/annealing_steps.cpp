#include "samplers/annealing_steps.hpp"

#include "kernels/langevin/langevin.hpp"
#include "kernels/step_values/step_values.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace ascore {

namespace {

bool has_noise_before(std::span<const AnnealingStep> steps) {
  return std::ranges::any_of(steps, [](const AnnealingStep& step) { return step.before != 0; });
}

}  // namespace

bool AnnealingSteps::possible(Device device, const NoiseSource& noise) {
  return has_graphs(device) && noise.key().has_value();
}

AnnealingSteps::AnnealingSteps(Ctx& ctx, const ScoreFn& score, std::span<const AnnealingStep> steps,
                               const NoiseSource& noise, Tensor x)
    : score_(score),
      key_(noise.key().value()),
      noise_before_(has_noise_before(steps)),
      x_(std::move(x)),
      position_(ctx.zeros({1}, DType::f64)),
      row_(ctx.zeros({kAll}, DType::f64)),
      arena_(ctx.allocator),
      step_(arena_) {
  std::vector<double> table;
  for (const auto& [sigma, before, direction, after] : steps) {
    const auto draw = static_cast<double>(table.size() / kAll);
    table.insert(table.end(), {sigma, 1 / sigma, 1 / (sigma * sigma), 0.0, before, direction, after, draw});
  }
  table_ = ctx.from_host(table, {static_cast<int64_t>(steps.size()), kAll}, DType::f64);
  key_.step_offset = column(kDraw).as<double>();
}

void AnnealingSteps::queue(Ctx& ctx) const {
  kernels::next_row(ctx.stream, table_, position_.view(), row_.view());
  if (noise_before_) kernels::langevin_step(ctx.stream, x_.view(), {}, column(kNothing, 2), key_);
  const Tensor direction = score_(ctx, x_, NoiseLevel(column(kSigma), column(kReciprocal), column(kReciprocalSquare)));
  kernels::langevin_step(ctx.stream, x_.view(), direction, column(kDirection, 2), key_);
}

void AnnealingSteps::next(Ctx& ctx) {
  step_.run(ctx, [this](Ctx& c) { queue(c); });
}

}  // namespace ascore
