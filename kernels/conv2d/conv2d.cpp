#include "kernels/conv2d/conv2d.hpp"

#include "kernels/activation/slope.hpp"
#include "kernels/conv2d/conv2d_cpu.hpp"
#include "kernels/conv2d/conv2d_device.hpp"
#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/conv2d_parts.hpp"
#include "kernels/conv2d/winograd.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/memory.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/parallel.hpp"
#include "kernels/core/pick.hpp"
#include "kernels/core/run_moments_checks.hpp"
#include "kernels/gemm/host_products.hpp"
#include "kernels/gemm/tiles.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

namespace ascore::kernels {

namespace {

Conv2dShape sizes(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
  const auto narrow = [](int64_t size) { return static_cast<int>(size); };
  return {narrow(x[0]),      narrow(x[1]),      narrow(x[2]),   narrow(weight[3]),
          narrow(weight[0]), narrow(weight[1]), options.stride, options.dilation};
}

/// Checks what does not depend on the kernel's size: `x` [N,H,W,I], `y` [N,H',W',O] (or their gradients), [O,k,k,I].
void check_channels(const OpScope& op, ConstView x, const Shape& weight, ConstView y, const Conv2dOptions& options) {
  op.require(x.rank() == 4 && y.rank() == 4, "images must be [N,H,W,C]");
  op.require(weight.rank() == 4 && weight[1] == weight[2] && weight[1] > 0, "weight must be [O,k,k,I]");
  op.require(x.dim(3) == weight[3], "weight [O,k,k,I] must have the channels of x [N,H,W,I]");
  op.require(y.dim(3) == weight[0], "weight [O,k,k,I] must have the channels of y [N,H',W',O]");
  op.require(x.dim(1) > 0 && x.dim(2) > 0 && weight[0] > 0 && weight[3] > 0, "only the batch may be empty");
  constexpr int kFar = 1 << 14;
  op.require(options.stride >= 1 && options.stride < kFar, "stride must be at least 1 and below 2^14");
  op.require(options.dilation >= 1 && options.dilation < kFar, "dilation must be at least 1 and below 2^14");
  constexpr int64_t kLimit = std::numeric_limits<int>::max() / 2;
  op.require(x.dim(0) * x.dim(1) * x.dim(2) < kLimit && weight.count() < kLimit, "more than 2^30 pixels or weights");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
}

/// Checks what the three passes have in common.
void check_shapes(const OpScope& op, ConstView x, const Shape& weight, ConstView y, const Conv2dOptions& options) {
  check_channels(op, x, weight, y, options);
  const Conv2dShape shape = sizes(x.shape(), weight, options);
  op.require(shape.out_height() > 0 && shape.out_width() > 0, "an even kernel must fit into the image and its padding");
  op.require(y.shape() == conv2d_output_shape(x.shape(), weight, options),
             "y must be [N,H',W',O] with H' = (H-1-e)/stride + 1, W' = (W-1-e)/stride + 1, e = dilation if k is even");
}

/// What the bias gradient alone needs.
size_t bias_workspace_bytes(Device device, ConstView dy) {
  if (device == Device::cpu) return 0;
  const int64_t depth = dy.dim(0) * dy.dim(1) * dy.dim(2);
  return sizeof(float) * static_cast<size_t>(column_sum_workspace(dy.dim(3), depth));
}

/// Checks a view of the epilogue, present or not, beside the result.
void check_beside(const OpScope& op, ConstView view, ConstView result, const char* rule) {
  op.require(!view || view.shape() == result.shape(), rule);
  op.require_dtype(!view || view.dtype() == result.dtype(), rule);
}

/// Checks the bias, present or not, of the channels of `result`.
void check_bias(const OpScope& op, ConstView bias, int64_t channels, ConstView result, const char* rule) {
  op.require(!bias || bias.shape() == Shape{channels}, rule);
  op.require_dtype(!bias || bias.dtype() == accumulator(result.dtype()), "bias must be f32 (f64 with f64)");
}

void check_weight_dtype(const OpScope& op, ConstView x, ConstView weight) {
  const bool mixed = x.dtype() == DType::bf16 && weight.dtype() == DType::f32;
  op.require_dtype(weight.dtype() == x.dtype() || mixed, "weight must have the dtype of x, or f32 beside bf16");
}

}  // namespace

namespace cpu {
namespace {
/// Bytes per image that the library copies of its operands, input and output (or gradient) alike, to compute in f32.
size_t widened_bytes(Stream& stream, const Conv2dShape& s, DType dtype) {
  if (dtype != DType::bf16 || library_multiplies_bf16(stream) || fits_winograd(stream, s, dtype)) return 0;
  const int64_t in = int64_t(s.height) * s.width * s.in, out = int64_t(s.out_height()) * s.out_width() * s.out;
  return static_cast<size_t>(in + out) * sizeof(float);
}
}  // namespace

void conv2d(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView weight, ConstView bias, MathMode, View y,
            const Conv2dEpilogue& epilogue) {
  for_parts(shape, widened_bytes(stream, shape, x.dtype()), [&](const Conv2dShape& part, int64_t begin, int64_t end) {
    const ConstView px = images(x, begin, end);
    const View py = images(y, begin, end);
    const Finish finish = images(Finish(epilogue, shape.out_image()), begin, end);
    if (fits_winograd(stream, part, x.dtype())) return winograd_conv2d(stream, part, px, weight, bias, finish, py);
    if (library_conv2d(stream, part, px, weight, bias, finish, py)) return;
    gather_conv2d(stream, part, px, weight, bias, finish, py);
  });
}
void conv2d_dgrad(Stream& stream, const Conv2dShape& shape, ConstView dy, ConstView weight, MathMode, View dx,
                  const Conv2dGradEpilogue& epilogue) {
  for_parts(shape, widened_bytes(stream, shape, dy.dtype()), [&](const Conv2dShape& part, int64_t begin, int64_t end) {
    const ConstView pdy = images(dy, begin, end);
    const View pdx = images(dx, begin, end);
    const Finish finish = images(Finish(epilogue), begin, end);
    if (fits_winograd(stream, part, dy.dtype())) return winograd_conv2d_dgrad(stream, part, pdy, weight, finish, pdx);
    if (library_conv2d_dgrad(stream, part, pdy, weight, finish, pdx)) return;
    gather_conv2d_dgrad(stream, part, pdy, weight, finish, pdx);
  });
}
void conv2d_wgrad(Stream& stream, const Conv2dShape& shape, ConstView x, ConstView dy, MathMode, View dweight,
                  View dbias, View) {
  if (dbias) column_sums(stream, dy, dy.count() / shape.out, shape.out, dbias);
  if (!dweight) return;
  if (shape.images == 0) return fill_bytes(stream, dweight, 0);
  const auto gradient = [&](const Conv2dShape& part, ConstView px, ConstView pdy, View to) {
    if (fits_winograd(stream, part, x.dtype())) return winograd_conv2d_wgrad(stream, part, px, pdy, to);
    if (!library_conv2d_wgrad(stream, part, px, pdy, to)) gather_conv2d_wgrad(stream, part, px, pdy, to);
  };
  for_parts(shape, widened_bytes(stream, shape, x.dtype()), [&](const Conv2dShape& part, int64_t begin, int64_t end) {
    const ConstView px = images(x, begin, end), pdy = images(dy, begin, end);
    if (begin == 0) return gradient(part, px, pdy, dweight);
    // Only beside widened operands is there a second part, and then the gradient is f32.
    float* const more = take_scratch<float>(stream, HostScratch::weights, static_cast<size_t>(dweight.count()));
    gradient(part, px, pdy, View(more, dweight.shape(), DType::f32, Device::cpu));
    float* const sum = dweight.as<float>();
    parallel_chunks(stream, dweight.count(), 1 << 14, [&](int64_t first, int64_t last) {
      for (int64_t i = first; i < last; ++i) sum[i] += more[i];
    });
  });
}
}  // namespace cpu

Shape conv2d_output_shape(const Shape& x, const Shape& weight, const Conv2dOptions& options) {
  const Conv2dShape shape = sizes(x, weight, options);
  return {x[0], shape.out_height(), shape.out_width(), weight[0]};
}

void conv2d(Stream& stream, ConstView x, ConstView weight, ConstView bias, const Conv2dOptions& options, View y,
            const Conv2dEpilogue& epilogue, View workspace) {
  const OpScope op(stream, "conv2d", {x, weight, bias, epilogue.residual, y, epilogue.sum, epilogue.runs, workspace});
  check_shapes(op, x, weight.shape(), y, options);
  check_bias(op, bias, weight.dim(0), y, "bias must be [O]");
  check_weight_dtype(op, x, weight);
  check_beside(op, epilogue.residual, y, "residual must have the shape and dtype of y");
  check_beside(op, epilogue.sum, y, "sum must have the shape and dtype of y");
  if (epilogue.runs) check_run_moments(op, epilogue.runs, y);
  op.require(!epilogue.runs || epilogue.sum || epilogue.activation == Activation::identity,
             "run moments are those of the sum, which must be stored: give sum beside an activation");
  require_slope(op, epilogue.activation, epilogue.slope);
  const Conv2dShape shape = sizes(x.shape(), weight.shape(), options);
  pick<cpu::conv2d, simt::conv2d, cuda::conv2d, DryCpu::counts_memory>(stream)(
      stream, shape, x, hopper_weights(stream, shape, x.dtype(), weight, workspace), bias, options.math, y, epilogue);
}

void conv2d_dgrad(Stream& stream, ConstView dy, ConstView weight, const Conv2dOptions& options, View dx,
                  const Conv2dGradEpilogue& epilogue, View workspace) {
  const OpScope op(stream, "conv2d_dgrad",
                   {dy, weight, epilogue.bias, epilogue.kept, epilogue.residual, dx, workspace});
  check_shapes(op, dx, weight.shape(), dy, options);
  check_weight_dtype(op, dy, weight);
  check_bias(op, epilogue.bias, weight.dim(3), dx, "bias must be [I]");
  check_beside(op, epilogue.kept, dx, "kept must have the shape and dtype of dx");
  check_beside(op, epilogue.residual, dx, "residual must have the shape and dtype of dx");
  require_slope(op, epilogue.activation, epilogue.slope);
  const Conv2dShape shape = sizes(dx.shape(), weight.shape(), options);
  const ConstView factor =
      dgrad_fits_hopper(shape) ? hopper_weights(stream, shape, dy.dtype(), weight, workspace) : weight;
  pick<cpu::conv2d_dgrad, simt::conv2d_dgrad, cuda::conv2d_dgrad, DryCpu::counts_memory>(stream)(
      stream, shape, dy, factor, options.math, dx, epilogue);
}

void conv2d_wgrad(Stream& stream, ConstView x, ConstView dy, const Conv2dOptions& options, View dweight, View dbias,
                  View workspace) {
  const OpScope op(stream, "conv2d_wgrad", {x, dy, dweight, dbias, workspace});
  op.require(x.rank() == 4 && dy.rank() == 4, "images must be [N,H,W,C]");
  const Shape weight = dweight ? dweight.shape() : Shape{dy.dim(3), 1, 1, x.dim(3)};
  if (dweight) {
    check_shapes(op, x, weight, dy, options);
  } else {
    check_channels(op, x, weight, dy, options);
  }
  op.require(!dbias || dbias.shape() == Shape{dy.dim(3)}, "dbias must be [O]");
  const DType sums = accumulator(x.dtype());
  op.require_dtype((!dweight || dweight.dtype() == sums) && (!dbias || dbias.dtype() == sums),
                   "dweight and dbias must be f32 (f64 with f64)");
  const size_t needed = dweight ? conv2d_wgrad_workspace_bytes(stream.device(), x.shape(), weight, options)
                                : bias_workspace_bytes(stream.device(), dy);
  op.require(workspace.bytes() >= needed, "workspace is smaller than conv2d_wgrad_workspace_bytes");
  pick<cpu::conv2d_wgrad, simt::conv2d_wgrad, cuda::conv2d_wgrad, DryCpu::counts_memory>(stream)(
      stream, sizes(x.shape(), weight, options), x, dy, options.math, dweight, dbias, workspace);
}

size_t conv2d_workspace_bytes(Stream& stream, ConstView x, ConstView weight, const Conv2dOptions& options) {
  return hopper_weight_bytes(stream, sizes(x.shape(), weight.shape(), options), x.dtype(), weight);
}

size_t conv2d_wgrad_workspace_bytes(Device device, const Shape& x, const Shape& weight, const Conv2dOptions& options) {
  if (device == Device::cpu) return 0;
  const Conv2dShape shape = sizes(x, weight, options);
  const int64_t portable = gradient_workspace(shape.out, shape.depth(), shape.out_pixels());
  const int64_t hopper = fits_hopper(shape) ? hopper_gradient_workspace(shape) : 0;
  return sizeof(float) * static_cast<size_t>(std::max(portable, hopper));
}

std::string conv2d_implementation(Stream& stream, Conv2dPass pass, const Shape& x, const Shape& weight,
                                  const Conv2dOptions& options, DType dtype) {
  const Conv2dShape shape = sizes(x, weight, options);
  if (stream.device() != Device::cpu) {
    const bool fits = pass == Conv2dPass::dgrad ? dgrad_fits_hopper(shape) : fits_hopper(shape);
    return fits && dtype == DType::bf16 && hopper_device(stream).present ? "hopper" : "portable";
  }
  if (cpu::fits_winograd(stream, shape, dtype)) return "winograd";
  const std::string library = cpu::library_conv2d_name(stream, pass, shape, dtype);
  return library.empty() ? "gather" : library;
}

}  // namespace ascore::kernels
