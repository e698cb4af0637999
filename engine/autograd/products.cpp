#include "engine/autograd/fused_conv2d.hpp"
#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/core/error.hpp"
#include "kernels/linear/linear.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor conv2d(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  return fused_conv2d(ctx, x, weight, bias, options, {}).value;
}

Tensor linear(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (x.rank() != 2 || weight.rank() != 2) {
    throw ShapeError(
        fmt::format("linear: x {} must be [N,I] and weight {} [O,I]", to_string(x.shape()), to_string(weight.shape())));
  }
  Tensor y = ctx.empty({x.dim(0), weight.dim(0)}, x.dtype());  // [N,O]
  Tensor scratch;
  if (const size_t bytes = kernels::linear_workspace_bytes(ctx.stream, x, weight)) {
    scratch = ctx.empty(Shape{static_cast<int64_t>(bytes)}, DType::u8, MemoryKind::workspace);
  }
  kernels::linear(ctx.stream, x, weight, bias, y, MathMode::f32, scratch.view());
  if (ctx.tape) {
    ctx.tape->record("linear", {x, weight, bias}, y, [input = ctx.tape->keep(x), weight](Backward& b) {  // not bias
      if (b.wants(0)) {
        const View scratch = b.workspace(kernels::linear_workspace_bytes(b.stream, b.grad_out(), weight));
        kernels::linear_dgrad(b.stream, b.grad_out(), weight, b.grad_in(0), MathMode::f32, scratch);
      }
      if (b.wants(1) || b.wants(2)) {
        const Tensor x = input.get(b.ctx);
        const View scratch =
            b.workspace(kernels::linear_wgrad_workspace_bytes(b.stream.device(), x.shape(), weight.shape()));
        kernels::linear_wgrad(b.stream, x, b.grad_out(), b.grad_in(1), b.grad_in(2), scratch);
      }
    });
  }
  return y;
}

}  // namespace ascore
