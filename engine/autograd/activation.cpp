#include "kernels/activation/activation.hpp"

#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"

namespace ascore {

Tensor activate(Ctx& ctx, const Tensor& x, Activation activation, double slope) {
  if (activation == Activation::identity) return x;
  Tensor y = ctx.empty_like(x);
  kernels::activation(ctx.stream, x, activation, slope, y);
  if (ctx.tape) {
    const Tensor kept = kernels::backward_needs_input(activation) ? x : y;
    ctx.tape->record("activate", {x}, y, [kept, activation, slope](Backward& backward) {
      kernels::activation_backward(backward.stream, kept, backward.grad_out(), activation, slope, backward.grad_in(0));
    });
  }
  return y;
}

}  // namespace ascore
