#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/bilinear_resize/bilinear_resize.hpp"
#include "kernels/max_pool5/max_pool5.hpp"
#include "kernels/pixel_sum/pixel_sum.hpp"
#include "kernels/pool2/pool2.hpp"

namespace ascore {

Tensor max_pool5(Ctx& ctx, const Tensor& x) {
  Tensor y = ctx.empty_like(x), winner;
  if (ctx.tape && ctx.tape->tracks(x)) winner = ctx.empty(x.shape(), DType::u8);
  kernels::max_pool5(ctx.stream, x, y, winner);
  if (ctx.tape) {
    ctx.tape->record("max_pool5", {x}, y, [winner](Backward& backward) {
      kernels::max_pool5_backward(backward.stream, winner, backward.grad_out(), backward.grad_in(0));
    });
  }
  return y;
}

Tensor mean_pool2(Ctx& ctx, const Tensor& x) {
  Tensor y = ctx.empty({x.dim(0), x.dim(1) / 2, x.dim(2) / 2, x.dim(3)}, x.dtype());
  kernels::pool2_sum(ctx.stream, x, 0.25, y);
  if (ctx.tape) {
    ctx.tape->record("mean_pool2", {x}, y, [](Backward& backward) {
      kernels::pool2_spread(backward.stream, backward.grad_out(), 0.25, backward.grad_in(0));
    });
  }
  return y;
}

Tensor upsample_nearest2(Ctx& ctx, const Tensor& x) {
  Tensor y = ctx.empty({x.dim(0), 2 * x.dim(1), 2 * x.dim(2), x.dim(3)}, x.dtype());
  kernels::pool2_spread(ctx.stream, x, 1, y);
  if (ctx.tape) {
    ctx.tape->record("upsample_nearest2", {x}, y, [](Backward& backward) {
      kernels::pool2_sum(backward.stream, backward.grad_out(), 1, backward.grad_in(0));
    });
  }
  return y;
}

Tensor bilinear_resize(Ctx& ctx, const Tensor& x, int64_t height, int64_t width) {
  if (x.dim(1) == height && x.dim(2) == width) return x;
  Tensor y = ctx.empty({x.dim(0), height, width, x.dim(3)}, x.dtype());
  kernels::bilinear_resize(ctx.stream, x, y);
  if (ctx.tape) {
    ctx.tape->record("bilinear_resize", {x}, y, [](Backward& backward) {
      kernels::bilinear_resize_backward(backward.stream, backward.grad_out(), backward.grad_in(0));
    });
  }
  return y;
}

Tensor pixel_sum(Ctx& ctx, const Tensor& x) {
  Tensor y = ctx.empty({x.dim(0), x.dim(-1)}, x.dtype());
  kernels::pixel_sum(ctx.stream, x, y);
  if (ctx.tape) {
    ctx.tape->record("pixel_sum", {x}, y, [](Backward& backward) {
      kernels::pixel_sum_backward(backward.stream, backward.grad_out(), backward.grad_in(0));
    });
  }
  return y;
}

}  // namespace ascore
