#include "engine/training/learner.hpp"

#include "engine/io/host_tensor.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/finite/finite.hpp"

#include <fmt/format.h>

namespace ascore {

Learner::Learner(Ctx& ctx, Module& module, const OptimizerConfig& config, std::optional<double> ema, DType dtype)
    : parameters(ctx, module, dtype),
      gradients(parameters.allocate_like(ctx, MemoryKind::gradients)),
      optimizer(make_optimizer(config, ctx, parameters.flat())) {
  if (!ema) return;
  average = parameters.allocate_like(ctx, MemoryKind::optimizer);
  decay = *ema;
}

void Learner::initialise(Ctx& ctx, uint64_t seed, std::string_view root) {
  parameters.initialise(ctx, seed, root);
  restart_average(ctx);
}

void Learner::restart_average(Ctx& ctx) {
  if (average) copy(ctx.stream, average, parameters.flat());
}

void Learner::minimise(Ctx& ctx, Tape& tape, const Tensor& loss, const char* what) {
  tape.backward(ctx, loss);
  const Tensor count = ctx.empty({1}, DType::i32, MemoryKind::workspace);
  kernels::count_nonfinite(ctx.stream, gradients, count.view());
  if (const int32_t bad = download(ctx.stream, count).as<int32_t>()[0]) {
    throw DivergedError(fmt::format("{} of the {}'s gradients are not finite", bad, what));
  }
  optimizer->step(ctx, parameters.flat(), gradients, average, decay);
  parameters.mark_changed();
}

Learner::Averaged::Averaged(Learner& learner) : learner_(learner) {
  if (learner_.average) learner_.parameters.bind(learner_.average);
}

Learner::Averaged::~Averaged() {
  if (learner_.average) learner_.parameters.bind(learner_.parameters.flat());
}

}  // namespace ascore
