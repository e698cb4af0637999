#include "engine/autograd/concat.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/concat/concat.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor concat_channels(Ctx& ctx, const Tensor& a, const Tensor& b) {
  if (a.rank() != 4 || b.rank() != 4) {
    throw ShapeError(
        fmt::format("concat_channels: a {} and b {} must be [N,H,W,C]", to_string(a.shape()), to_string(b.shape())));
  }
  Tensor y = ctx.empty({a.dim(0), a.dim(1), a.dim(2), a.dim(3) + b.dim(3)}, a.dtype());
  kernels::concat_channels(ctx.stream, a, b, y);
  if (ctx.tape) {
    ctx.tape->record("concat_channels", {a, b}, y, [](Backward& backward) {
      kernels::split_channels(backward.stream, backward.grad_out(), backward.grad_in(0), backward.grad_in(1));
    });
  }
  return y;
}

}  // namespace ascore
