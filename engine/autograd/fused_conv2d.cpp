#include "engine/autograd/fused_conv2d.hpp"

#include "engine/autograd/tape.hpp"
#include "kernels/conv2d/conv2d.hpp"
#include "kernels/core/error.hpp"
#include "kernels/core/run_moments.hpp"

#include <fmt/format.h>

namespace ascore {

namespace {
/// Where the run moments of y go; absent where y has no runs.
Tensor room_for_runs(const Ctx& ctx, const Tensor& y) {
  const Shape shape = kernels::run_moments_shape(y.shape());
  return shape[1] > 0 ? ctx.empty(shape, accumulator(y.dtype()), MemoryKind::workspace) : Tensor();
}
}  // namespace

Activated fused_conv2d(Ctx& ctx, const Activated& x, const Tensor& weight, const Tensor& bias,
                       const Conv2dOptions& given, const Epilogue& epilogue) {
  const Tensor& in = x.value;
  if (in.rank() != 4 || weight.rank() != 4) {
    throw ShapeError(fmt::format("conv2d: x {} must be [N,H,W,I] and weight {} [O,k,k,I]", to_string(in.shape()),
                                 to_string(weight.shape())));
  }
  const kernels::Conv2dOptions options{.stride = given.stride, .dilation = given.dilation};
  if (options.stride < 1) throw ShapeError(fmt::format("conv2d: stride {} (must be at least 1)", options.stride));
  Tensor y = ctx.empty(kernels::conv2d_output_shape(in.shape(), weight.shape(), options), in.dtype());  // [N,H',W',O]
  const bool activates = epilogue.activation != Activation::identity;
  const bool needs_sum =
      epilogue.keep_raw || epilogue.measure || (ctx.tape && kernels::backward_needs_input(epilogue.activation));
  Tensor sum;
  if (activates && needs_sum) sum = ctx.empty_like(y);
  const Tensor runs = epilogue.measure ? room_for_runs(ctx, y) : Tensor();
  const size_t scratch_bytes = kernels::conv2d_workspace_bytes(ctx.stream, in, weight, options);
  Tensor scratch;
  if (scratch_bytes) {
    scratch = ctx.empty(Shape{static_cast<int64_t>(scratch_bytes)}, DType::u8, MemoryKind::workspace);
  }
  kernels::conv2d(ctx.stream, in, weight, bias, options, y,
                  {.residual = epilogue.residual,
                   .activation = epilogue.activation,
                   .slope = epilogue.slope,
                   .sum = sum.view(),
                   .runs = runs.view()},
                  scratch.view());
  // Where no sum is stored, an alias of y stands for it on the tape.
  const Tensor raw = sum ? sum : activates ? y.alias(y.shape()) : y;
  Activated result(raw, y, epilogue.activation, epilogue.slope);
  result.runs = runs;
  if (ctx.tape) {
    const bool through = x.activation != Activation::identity;
    ctx.tape->record(
        "conv2d", {x.raw, weight, bias, epilogue.residual}, raw,
        [input = ctx.tape->keep(in), before = through ? ctx.tape->keep(x.kept()) : Kept(), activation = x.activation,
         slope = x.slope, weight, options](Backward& b) {  // neither y nor bias
          b.give(3, b.grad_out());
          const Tensor in = input.get(b.ctx), kept = before.get(b.ctx);
          if (b.wants(0)) {
            const Tensor others = b.take_gradient(0);
            const View scratch = b.workspace(kernels::conv2d_workspace_bytes(b.stream, in, weight, options));
            kernels::conv2d_dgrad(b.stream, b.grad_out(), weight, options, b.grad_in(0),
                                  {.kept = kept, .activation = activation, .slope = slope, .residual = others},
                                  scratch);
          }
          if (b.wants(1) || b.wants(2)) {
            const View scratch = b.workspace(
                kernels::conv2d_wgrad_workspace_bytes(b.stream.device(), in.shape(), weight.shape(), options));
            kernels::conv2d_wgrad(b.stream, in, b.grad_out(), options, b.grad_in(1), b.grad_in(2), scratch);
          }
        });
    if (activates) record_activation(ctx, result);
  }
  return result;
}

}  // namespace ascore
