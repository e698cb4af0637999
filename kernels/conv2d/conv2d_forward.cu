#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/conv2d_pixels.hpp"
#include "kernels/conv2d/window_conv2d_backends.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

namespace {
/// The gathered pixels times `weight` [out, depth], by the kernel for all GPUs.
void multiply_gathered(Stream& stream, const PixelGather& g, int out, ConstView x, ConstView weight, ConstView bias,
                       MathMode math, View y, const Conv2dEpilogue& e) {
  for_product_types(x.dtype(), weight.dtype(), [&]<class T, class W>() {
    const MatrixSource<W> weights{weight.as<W>(), g.depth(), 1, out, g.depth()};
    const OutputEpilogue<T> plain{bias.as<float>(), e.residual.as<T>(), e.sum.as<T>(),
                                  y.as<T>(),        e.activation,       static_cast<float>(e.slope)};
    const auto multiply = [&](const auto& epilogue) {
      multiply_pixels<Contiguous::depth>(stream, x.as<T>(), g, weights, g.channels, epilogue, out, math);
    };
    if (e.runs) return multiply(MeasuringEpilogue<T>{plain, runs_sink(e.runs, int64_t(g.grid_height) * g.grid_width)});
    multiply(plain);
  });
}
}  // namespace

void conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias, MathMode math, View y,
            const Conv2dEpilogue& e) {
  if (s.images > 0 && fits_hopper(s) && runs_on_hopper(stream, {x, weight, y}, {e.residual, e.sum})) {
    return hopper_conv2d(stream, s, x, weight, bias, y, e);
  }
  multiply_gathered(stream, output_gather(s), s.out, x, weight, bias, math, y, e);
}

void window_conv2d(Stream& stream, const PixelGather& g, ConstView x, ConstView weight, ConstView bias, MathMode math,
                   View y, const Conv2dEpilogue& e) {
  multiply_gathered(stream, g, static_cast<int>(weight.dim(0)), x, weight, bias, math, y, e);
}

}  // namespace ascore::kernels::ASCORE_BACKEND
