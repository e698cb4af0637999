#include "engine/autograd/pooled_conv2d.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/box_weights/box_weights.hpp"
#include "kernels/core/error.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
Tensor box_weights(Ctx& ctx, const Tensor& weight) {
  Tensor boxed = ctx.empty({weight.dim(0), weight.dim(1) + 1, weight.dim(2) + 1, weight.dim(3)}, weight.dtype());
  kernels::box_weights(ctx.stream, weight, boxed);
  if (ctx.tape) {
    ctx.tape->record("box_weights", {weight}, boxed,
                     [](Backward& b) { kernels::box_weights_backward(b.stream, b.grad_out(), b.grad_in(0)); });
  }
  return boxed;
}
}  // namespace

Activated pooled_conv2d(Ctx& ctx, const Activated& x, const Tensor& weight, const Tensor& bias,
                        const Epilogue& epilogue) {
  const Tensor& in = x.value;
  if (in.rank() != 4 || weight.rank() != 4 || in.dim(1) % 2 != 0 || in.dim(2) % 2 != 0) {
    throw ShapeError(fmt::format("pooled_conv2d: x {} must be [N,H,W,I], H and W even, and weight {} [O,k,k,I]",
                                 to_string(in.shape()), to_string(weight.shape())));
  }
  return fused_conv2d(ctx, x, box_weights(ctx, weight), bias, {.stride = 2}, epilogue);
}

}  // namespace ascore
