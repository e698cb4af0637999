#include "engine/training/learner.hpp"

#include "kernels/core/memory.hpp"

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

void Learner::minimise(Ctx& ctx, Tape& tape, const Tensor& loss) {
  tape.backward(ctx, loss);
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
