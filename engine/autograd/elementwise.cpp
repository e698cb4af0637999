#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/scaled_add/scaled_add.hpp"

namespace ascore {

Tensor add(Ctx& ctx, const Tensor& a, const Tensor& b) {
  Tensor y = ctx.empty_like(a);
  kernels::scaled_add(ctx.stream, 1.0, a, 1.0, b, y);
  if (ctx.tape) {
    ctx.tape->record("add", {a, b}, y, [](Backward& backward) {
      backward.give(0, backward.grad_out());
      backward.give(1, backward.grad_out());
    });
  }
  return y;
}

Tensor scale(Ctx& ctx, const Tensor& x, double factor) {
  Tensor y = ctx.empty_like(x);
  kernels::scaled_add(ctx.stream, factor, x, 0.0, {}, y);
  if (ctx.tape) {
    ctx.tape->record("scale", {x}, y, [factor](Backward& backward) {
      kernels::scaled_add(backward.stream, factor, backward.grad_out(), 0.0, {}, backward.grad_in(0));
    });
  }
  return y;
}

Tensor reshape(Ctx& ctx, const Tensor& x, const Shape& shape) {
  Tensor y = x.alias(shape);
  if (ctx.tape) {
    ctx.tape->record("reshape", {x}, y,
                     [from = x.shape()](Backward& backward) { backward.give(0, backward.grad_out().alias(from)); });
  }
  return y;
}

}  // namespace ascore
