#include "engine/autograd/operations.hpp"
#include "engine/autograd/tape.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/core/error.hpp"
#include "kernels/linear/linear.hpp"

#include <fmt/format.h>

namespace ascore {

Tensor conv2d(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& given) {
  if (x.rank() != 4 || weight.rank() != 4) {
    throw ShapeError(fmt::format("conv2d: x {} must be [N,H,W,I] and weight {} [O,k,k,I]", to_string(x.shape()),
                                 to_string(weight.shape())));
  }
  const kernels::Conv2dOptions options{.stride = given.stride, .dilation = given.dilation};
  if (options.stride < 1) throw ShapeError(fmt::format("conv2d: stride {} (must be at least 1)", options.stride));
  Tensor y = ctx.empty(kernels::conv2d_output_shape(x.shape(), weight.shape(), options), x.dtype());  // [N,H',W',O]
  kernels::conv2d(ctx.stream, x, weight, bias, options, y);
  if (ctx.tape) {
    ctx.tape->record("conv2d", {x, weight, bias}, y, [x, weight, options](Backward& b) {  // neither y nor bias
      if (b.wants(0)) kernels::conv2d_dgrad(b.stream, b.grad_out(), weight, options, b.grad_in(0));
      if (b.wants(1) || b.wants(2)) {
        const View scratch =
            b.workspace(kernels::conv2d_wgrad_workspace_bytes(b.stream.device(), x.shape(), weight.shape(), options));
        kernels::conv2d_wgrad(b.stream, x, b.grad_out(), options, b.grad_in(1), b.grad_in(2), scratch);
      }
    });
  }
  return y;
}

Tensor linear(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (x.rank() != 2 || weight.rank() != 2) {
    throw ShapeError(
        fmt::format("linear: x {} must be [N,I] and weight {} [O,I]", to_string(x.shape()), to_string(weight.shape())));
  }
  Tensor y = ctx.empty({x.dim(0), weight.dim(0)}, x.dtype());  // [N,O]
  kernels::linear(ctx.stream, x, weight, bias, y);
  if (ctx.tape) {
    ctx.tape->record("linear", {x, weight, bias}, y, [x, weight](Backward& b) {  // neither y nor bias
      if (b.wants(0)) kernels::linear_dgrad(b.stream, b.grad_out(), weight, b.grad_in(0));
      if (b.wants(1) || b.wants(2)) {
        const View scratch =
            b.workspace(kernels::linear_wgrad_workspace_bytes(b.stream.device(), x.shape(), weight.shape()));
        kernels::linear_wgrad(b.stream, x, b.grad_out(), b.grad_in(1), b.grad_in(2), scratch);
      }
    });
  }
  return y;
}

}  // namespace ascore
