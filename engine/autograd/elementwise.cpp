#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/affine/affine.hpp"
#include "kernels/append_column/append_column.hpp"
#include "kernels/cast/cast.hpp"
#include "kernels/clamp/clamp.hpp"
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

Tensor affine(Ctx& ctx, const Tensor& x, double factor, double shift) {
  Tensor y = ctx.empty_like(x);
  kernels::affine(ctx.stream, x, factor, shift, y);
  if (ctx.tape) {
    ctx.tape->record("affine", {x}, y, [factor](Backward& backward) {
      kernels::scaled_add(backward.stream, factor, backward.grad_out(), 0.0, {}, backward.grad_in(0));
    });
  }
  return y;
}

Tensor clamp(Ctx& ctx, const Tensor& x, double low, double high) {
  Tensor y = ctx.empty_like(x);
  kernels::clamp(ctx.stream, x, low, high, y);
  if (ctx.tape) {
    ctx.tape->record("clamp", {x}, y, [x, low, high](Backward& backward) {
      kernels::clamp_backward(backward.stream, x, backward.grad_out(), low, high, backward.grad_in(0));
    });
  }
  return y;
}

Tensor cast(Ctx& ctx, const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  Tensor y = ctx.empty(x.shape(), dtype);
  kernels::cast(ctx.stream, x, y);
  if (ctx.tape) {
    ctx.tape->record("cast", {x}, y, [](Backward& backward) {
      kernels::cast(backward.stream, backward.grad_out(), backward.grad_in(0));
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

Tensor append_column(Ctx& ctx, const Tensor& x, const Tensor& c) {
  Tensor y = ctx.empty(Shape{x.dim(0), x.dim(1) + 1}, x.dtype());
  kernels::append_column(ctx.stream, x, c, y);
  if (ctx.tape) {
    ctx.tape->record("append_column", {x}, y, [](Backward& backward) {
      kernels::append_column_backward(backward.stream, backward.grad_out(), backward.grad_in(0));
    });
  }
  return y;
}

}  // namespace ascore
