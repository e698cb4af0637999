#include "kernels/activation/activation.hpp"

#include "engine/autograd/activated.hpp"
#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"

namespace ascore {

const Tensor& Activated::kept() const {
  return kernels::backward_needs_input(activation) ? raw : value;
}

void record_activation(Ctx& ctx, const Activated& pair) {
  if (!ctx.tape) return;
  ctx.tape->record(
      "activate", {pair.raw}, pair.value,
      [kept = ctx.tape->keep(pair.kept()), activation = pair.activation, slope = pair.slope](Backward& backward) {
        kernels::activation_backward(backward.stream, kept.get(backward.ctx), backward.grad_out(), activation, slope,
                                     backward.grad_in(0));
      });
}

Activated activated(Ctx& ctx, const Tensor& x, Activation activation, double slope) {
  if (activation == Activation::identity) return x;
  const auto made = [activation, slope](Ctx& c, const Tensor& before) {
    Tensor y = c.empty_like(before);
    kernels::activation(c.stream, before, activation, slope, y);
    return y;
  };
  const Activated result(x, made(ctx, x), activation, slope);
  if (ctx.tape && ctx.tape->remakes(x)) {
    ctx.tape->remake(result.value, [made, x = ctx.tape->keep(x)](Ctx& c) { return made(c, x.get(c)); });
  }
  record_activation(ctx, result);
  return result;
}

Tensor activate(Ctx& ctx, const Tensor& x, Activation activation, double slope) {
  return activated(ctx, x, activation, slope).value;
}

}  // namespace ascore
