#include "engine/autograd/transpose.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/core/error.hpp"
#include "kernels/transpose/transpose.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor transpose(Ctx& ctx, const Tensor& x) {
  if (x.rank() != 3) throw ShapeError(fmt::format("transpose: x {} must be [N,A,B]", to_string(x.shape())));
  Tensor y = ctx.empty({x.dim(0), x.dim(2), x.dim(1)}, x.dtype());
  kernels::transpose(ctx.stream, x, y);
  if (ctx.tape) {
    ctx.tape->record("transpose", {x}, y, [](Backward& backward) {
      kernels::transpose(backward.stream, backward.grad_out(), backward.grad_in(0));
    });
  }
  return y;
}

}  // namespace ascore
