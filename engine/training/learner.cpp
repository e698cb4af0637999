#include "engine/training/learner.hpp"

#include "kernels/core/memory.hpp"

#include <vector>

namespace ascore {

Learner::Learner(Ctx& ctx, Module& module, const OptimizerConfig& config, std::optional<double> ema, DType dtype)
    : parameters(ctx, module, dtype),
      gradients(parameters.allocate_like(ctx, MemoryKind::gradients)),
      optimizer(make_optimizer(config, ctx, parameters.flat())),
      numbers_(ctx.zeros({1 + optimizer->scalar_count()}, DType::f64, MemoryKind::optimizer)) {
  if (!ema) return;
  average = parameters.allocate_like(ctx, MemoryKind::ema);
  decay = *ema;
}

void Learner::initialise(Ctx& ctx, uint64_t seed, std::string_view root) {
  parameters.initialise(ctx, seed, root);
  restart_average(ctx);
}

void Learner::restart_average(Ctx& ctx) {
  if (average) copy(ctx.stream, average, parameters.flat());
}

void Learner::begin_update(Ctx& ctx, int64_t draw) {
  std::vector<double> numbers = optimizer->next_scalars();
  numbers.insert(numbers.begin(), static_cast<double>(draw));
  copy(ctx.stream, numbers_.view(), ConstView(numbers.data(), numbers_.shape(), DType::f64, Device::cpu));
  next_draw_ = draw + 1;
}

void Learner::minimise(Ctx& ctx, Tape& tape, const Tensor& loss, Player player, const UpdateRecord& record,
                       const Tensor& first_part, const Tensor& second_part) {
  tape.backward(ctx, loss);
  finish_update(ctx, loss, player, record, first_part, second_part);
}

void Learner::finish_update(Ctx& ctx, const Tensor& loss, Player player, const UpdateRecord& record,
                            const Tensor& first_part, const Tensor& second_part) {
  record.note(ctx, player, {loss, first_part, second_part}, gradients, draw());
  optimizer->apply(ctx, parameters.flat(), gradients, average, decay, numbers_.rows(1, numbers_.dim(0)),
                   record.halted());
  parameters.mark_changed();
}

void Learner::forget_updates(int64_t draw) {
  if (draw >= next_draw_) return;
  optimizer->set_steps(optimizer->steps() - (next_draw_ - draw));
  next_draw_ = draw;
}

Learner::Averaged::Averaged(Learner& learner) : learner_(learner) {
  if (learner_.average) learner_.parameters.bind(learner_.average);
}

Learner::Averaged::~Averaged() {
  if (learner_.average) learner_.parameters.bind(learner_.parameters.flat());
}

}  // namespace ascore
