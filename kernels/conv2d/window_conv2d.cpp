#include "kernels/conv2d/window_conv2d.hpp"

#include "kernels/conv2d/window_conv2d_backends.hpp"
#include "kernels/core/dispatch.hpp"
#include "kernels/core/op_scope.hpp"
#include "kernels/core/pick.hpp"

#include <limits>

namespace ascore::kernels {

namespace {

/// Windows of `window` pixels, `stride` apart, in `size` pixels with `padding` zeros on both sides.
int64_t windows_along(int64_t size, int64_t window, int stride, int padding) {
  const int64_t room = size + 2 * int64_t{padding} - window;
  return room < 0 ? 0 : room / stride + 1;
}

PixelGather gather_of(const Shape& x, const Shape& weight, const WindowConv2dOptions& options, const Shape& y) {
  const auto narrow = [](int64_t size) { return static_cast<int>(size); };
  PixelGather g{};
  g.images = narrow(x[0]), g.grid_height = narrow(y[1]), g.grid_width = narrow(y[2]);
  g.source_height = narrow(x[1]), g.source_width = narrow(x[2]), g.channels = narrow(x[3]);
  g.row_step = options.stride, g.tap_step = 1, g.first_h = -options.pad_height, g.first_w = -options.pad_width;
  g.taps_h = narrow(weight[1]), g.taps_w = narrow(weight[2]);
  g.out_height = g.grid_height, g.out_width = g.grid_width, g.out_step = 1;
  g.set_divisors();
  return g;
}

void check(const OpScope& op, ConstView x, ConstView weight, ConstView bias, const WindowConv2dOptions& options,
           ConstView y) {
  op.require(x.rank() == 4 && y.rank() == 4, "images must be [N,H,W,C]");
  op.require(weight.rank() == 4 && weight.count() > 0, "weight must be [O,a,b,C], and not empty");
  op.require(x.dim(3) == weight.dim(3), "weight [O,a,b,C] must have the channels of x [N,H,W,C]");
  op.require(x.dim(1) > 0 && x.dim(2) > 0, "only the batch may be empty");
  constexpr int kFar = 1 << 14;
  op.require(options.stride >= 1 && options.stride < kFar, "stride must be at least 1 and below 2^14");
  op.require(options.pad_height >= 0 && options.pad_height < weight.dim(1) && options.pad_width >= 0 &&
                 options.pad_width < weight.dim(2),
             "padding must be at least 0 and less than the window");
  constexpr int64_t kLimit = std::numeric_limits<int>::max() / 2;
  op.require(
      x.dim(0) * x.dim(1) * x.dim(2) < kLimit && y.dim(0) * y.dim(1) * y.dim(2) < kLimit && weight.count() < kLimit,
      "more than 2^30 pixels or weights");
  op.require(y.dim(1) > 0 && y.dim(2) > 0, "the window must fit into the image and its padding");
  op.require(y.shape() == window_conv2d_output_shape(x.shape(), weight.shape(), options),
             "y must be [N,H',W',O] with H' = (H+2p-a)/stride + 1, W' = (W+2q-b)/stride + 1");
  op.require(!bias || bias.shape() == Shape{weight.dim(0)}, "bias must be [O]");
  op.require_dtype(x.dtype() == y.dtype(), "x and y must have one dtype");
  op.require_dtype(weight.dtype() == x.dtype() || (x.dtype() == DType::bf16 && weight.dtype() == DType::f32),
                   "weight must have the dtype of x, or f32 beside bf16");
  op.require_dtype(!bias || bias.dtype() == accumulator(x.dtype()), "bias must be f32 (f64 with f64)");
}

}  // namespace

Shape window_conv2d_output_shape(const Shape& x, const Shape& weight, const WindowConv2dOptions& options) {
  return {x[0], windows_along(x[1], weight[1], options.stride, options.pad_height),
          windows_along(x[2], weight[2], options.stride, options.pad_width), weight[0]};
}

void window_conv2d(Stream& stream, ConstView x, ConstView weight, ConstView bias, const WindowConv2dOptions& options,
                   View y) {
  const OpScope op(stream, "window_conv2d", {x, weight, bias, y});
  check(op, x, weight, bias, options, y);
  if (y.count() == 0) return;
  pick<cpu::window_conv2d, simt::window_conv2d, cuda::window_conv2d>(stream)(
      stream, gather_of(x.shape(), weight.shape(), options, y.shape()), x, weight, bias, options.math, y,
      {.activation = options.activation});
}

}  // namespace ascore::kernels
