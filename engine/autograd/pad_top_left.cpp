#include "engine/autograd/pad_top_left.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/core/error.hpp"
#include "kernels/pad_top_left/pad_top_left.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor pad_top_left(Ctx& ctx, const Tensor& x) {
  if (x.rank() != 4) throw ShapeError(fmt::format("pad_top_left: x {} must be [N,H,W,C]", to_string(x.shape())));
  Tensor y = ctx.empty({x.dim(0), x.dim(1) + 1, x.dim(2) + 1, x.dim(3)}, x.dtype());
  kernels::pad_top_left(ctx.stream, x, y);
  if (ctx.tape) {
    ctx.tape->record("pad_top_left", {x}, y, [](Backward& backward) {
      kernels::crop_top_left(backward.stream, backward.grad_out(), backward.grad_in(0));
    });
  }
  return y;
}

}  // namespace ascore
