#include "engine/autograd/upsampled_conv2d.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/core/error.hpp"
#include "kernels/upsampled_weights/upsampled_weights.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
constexpr kernels::Conv2dOptions kDoubling{.stride = 2};

/// [O,k,k,I] -> [I,k+1,k+1,O].
Tensor spread_weights(Ctx& ctx, const Tensor& weight) {
  Tensor spread = ctx.empty({weight.dim(3), weight.dim(1) + 1, weight.dim(2) + 1, weight.dim(0)}, weight.dtype());
  kernels::upsampled_weights(ctx.stream, weight, spread);
  if (ctx.tape) {
    ctx.tape->record("upsampled_weights", {weight}, spread,
                     [](Backward& b) { kernels::upsampled_weights_backward(b.stream, b.grad_out(), b.grad_in(0)); });
  }
  return spread;
}

/// Sums of dy over all pixels.
void bias_gradient(Backward& b, const Tensor& dy, View dbias) {
  const View scratch =
      b.workspace(kernels::conv2d_wgrad_workspace_bytes(b.stream.device(), dy.shape(), {dy.dim(3), 1, 1, 1}, {}));
  kernels::conv2d_wgrad(b.stream, dy, dy, {}, {}, dbias, scratch);
}
}  // namespace

Tensor upsampled_conv2d(Ctx& ctx, const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (x.rank() != 4 || weight.rank() != 4 || weight.dim(1) % 2 == 0) {
    throw ShapeError(fmt::format("upsampled_conv2d: x {} must be [N,H,W,I] and weight {} [O,k,k,I], k odd",
                                 to_string(x.shape()), to_string(weight.shape())));
  }
  const Tensor spread = spread_weights(ctx, weight);
  Tensor y = ctx.empty({x.dim(0), 2 * x.dim(1), 2 * x.dim(2), weight.dim(0)}, x.dtype());
  const size_t scratch_bytes = kernels::conv2d_workspace_bytes(ctx.stream, y, spread, kDoubling);
  Tensor scratch;
  if (scratch_bytes) {
    scratch = ctx.empty(Shape{static_cast<int64_t>(scratch_bytes)}, DType::u8, MemoryKind::workspace);
  }
  kernels::conv2d_dgrad(ctx.stream, x, spread, kDoubling, y, {.bias = bias}, scratch.view());
  if (ctx.tape) {
    ctx.tape->record(
        "upsampled_conv2d", {x, spread, bias}, y, [input = ctx.tape->keep(x), spread](Backward& b) {  // not bias
          const Tensor &dy = b.grad_out(), in = input.get(b.ctx);
          if (b.wants(0)) {
            const Tensor others = b.take_gradient(0);
            const View scratch = b.workspace(kernels::conv2d_workspace_bytes(b.stream, dy, spread, kDoubling));
            kernels::conv2d(b.stream, dy, spread, {}, kDoubling, b.grad_in(0), {.residual = others}, scratch);
          }
          if (b.wants(1)) {
            const View scratch = b.workspace(
                kernels::conv2d_wgrad_workspace_bytes(b.stream.device(), dy.shape(), spread.shape(), kDoubling));
            kernels::conv2d_wgrad(b.stream, dy, in, kDoubling, b.grad_in(1), {}, scratch);
          }
          if (b.wants(2)) bias_gradient(b, dy, b.grad_in(2));
        });
  }
  return y;
}

}  // namespace ascore
