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
  ctx.tape->record("activate", {pair.raw}, pair.value,
                   [kept = pair.kept(), activation = pair.activation, slope = pair.slope](Backward& backward) {
                     kernels::activation_backward(backward.stream, kept, backward.grad_out(), activation, slope,
                                                  backward.grad_in(0));
                   });
}

Activated activated(Ctx& ctx, const Tensor& x, Activation activation, double slope) {
  if (activation == Activation::identity) return x;
  const Activated result(x, ctx.empty_like(x), activation, slope);
  kernels::activation(ctx.stream, x, activation, slope, result.value.view());
  record_activation(ctx, result);
  return result;
}

Tensor activate(Ctx& ctx, const Tensor& x, Activation activation, double slope) {
  return activated(ctx, x, activation, slope).value;
}

}  // namespace ascore
