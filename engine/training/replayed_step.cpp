#include "engine/training/replayed_step.hpp"

namespace ascore {

bool has_graphs(Device device) {
  return device != Device::cpu;
}

void ReplayedStep::run(Ctx& ctx, const Body& body) {
  Ctx inside{ctx.stream, arena_, ctx.tape, ctx.training, ctx.compute, ctx.random};
  if (!captures_ || !ran_ || !arena_.ready()) {
    arena_.run(number_, false, [&] { body(inside); });
    ran_ = true;
    return;
  }
  if (!graph_) {
    arena_.run(number_, true, [&] { graph_ = Graph::capture(ctx.stream, [&] { body(inside); }); });
    arena_.poison(ctx.stream);
  }
  graph_->replay(ctx.stream);
}

}  // namespace ascore
