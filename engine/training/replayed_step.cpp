#include "engine/training/replayed_step.hpp"

namespace ascore {

bool has_graphs(Device device) {
  return device != Device::cpu;
}

void ReplayedStep::run(Ctx& ctx, const Body& body) {
  if (!arena_ || !ran_) {
    body(ctx);
    ran_ = true;
    return;
  }
  if (!graph_) {
    Ctx captured{ctx.stream, *arena_, ctx.tape, ctx.training, ctx.compute, ctx.random};
    graph_ = Graph::capture(ctx.stream, [&] { body(captured); });
    arena_->poison(ctx.stream);
  }
  graph_->replay(ctx.stream);
}

}  // namespace ascore
