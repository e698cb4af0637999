#include "kernels/conv2d/conv2d_device.hpp"
#include "kernels/core/backend.hpp"
#include "kernels/linear/linear_pixels.hpp"

/// A linear layer is a convolution by one tap.
namespace ascore::kernels::ASCORE_BACKEND {

void linear(Stream& stream, ConstView x, ConstView weight, ConstView bias, MathMode math, View y) {
  conv2d(stream, as_pixels(x.shape(), y.dim(1)), x, weight, bias, math, y, {});
}

void linear_dgrad(Stream& stream, ConstView dy, ConstView weight, MathMode math, View dx) {
  conv2d_dgrad(stream, as_pixels(dx.shape(), dy.dim(1)), dy, weight, math, dx, {});
}

void linear_wgrad(Stream& stream, ConstView x, ConstView dy, MathMode math, View dweight, View dbias, View workspace) {
  conv2d_wgrad(stream, as_pixels(x.shape(), dy.dim(1)), x, dy, math, dweight, dbias, workspace);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
