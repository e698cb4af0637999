#include "engine/autograd/max_pool2.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/core/error.hpp"
#include "kernels/max_pool2/max_pool2.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor max_pool2(Ctx& ctx, const Tensor& x) {
  if (x.rank() != 4) throw ShapeError(fmt::format("max_pool2: x {} must be [N,H,W,C]", to_string(x.shape())));
  Tensor y = ctx.empty({x.dim(0), x.dim(1) / 2, x.dim(2) / 2, x.dim(3)}, x.dtype()), winner;
  if (ctx.tape && ctx.tape->tracks(x)) winner = ctx.empty(y.shape(), DType::u8);
  kernels::max_pool2(ctx.stream, x, y, winner);
  if (ctx.tape) {
    ctx.tape->record("max_pool2", {x}, y, [winner](Backward& backward) {
      kernels::max_pool2_backward(backward.stream, winner, backward.grad_out(), backward.grad_in(0));
    });
  }
  return y;
}

}  // namespace ascore
