#include "kernels/conv2d/conv2d_device.hpp"
#include "kernels/core/backend.hpp"

/// A linear layer is a convolution by one tap: N rows of I elements are N images of one pixel with I channels.
namespace ascore::kernels::ASCORE_BACKEND {

namespace {
Conv2dShape as_pixels(ConstView rows, int64_t out) {
  const auto narrow = [](int64_t size) { return static_cast<int>(size); };
  return {.images = narrow(rows.dim(0)),
          .height = 1,
          .width = 1,
          .in = narrow(rows.dim(1)),
          .out = narrow(out),
          .kernel = 1};
}
}  // namespace

void linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, MathMode math, View y) {
  conv2d(stream, as_pixels(x, y.dim(1)), x, weight, bias, math, y, {});
}

void linear_dgrad(Stream& stream, ConstView dy, ConstView weight, MathMode math, View dx) {
  conv2d_dgrad(stream, as_pixels(dx, dy.dim(1)), dy, weight, math, dx, {});
}

void linear_wgrad(Stream& stream, ConstView x, ConstView dy, MathMode math, View dweight, View dbias, View workspace) {
  conv2d_wgrad(stream, as_pixels(x, dy.dim(1)), x, dy, math, dweight, dbias, workspace);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
