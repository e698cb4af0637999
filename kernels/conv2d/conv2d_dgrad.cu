#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/conv2d_pixels.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void conv2d_dgrad(Stream& stream, const Conv2dShape& s, ConstView dy, ConstView weight, MathMode math, View dx,
                  const Conv2dGradEpilogue& e) {
  if (s.images > 0 && dgrad_fits_hopper(s) && runs_on_hopper(stream, {dy, weight, dx}, {e.kept, e.residual})) {
    return hopper_conv2d_dgrad(stream, s, dy, weight, dx, e);
  }
  for_product_types(dy.dtype(), weight.dtype(), [&]<class T, class W>() {
    const GradientEpilogue<T> epilogue{e.bias.as<float>(), e.kept.as<T>(), e.residual.as<T>(),
                                       dx.as<T>(),         e.activation,   static_cast<float>(e.slope)};
    for (int parity_h = 0; parity_h < s.stride; ++parity_h) {
      for (int parity_w = 0; parity_w < s.stride; ++parity_w) {
        const PixelGather gather = input_gather(s, parity_h, parity_w);
        const TapWeightSource<W> weights{weight.as<W>(), gather, s.in, gather.depth()};
        multiply_pixels<Contiguous::rows>(stream, dy.as<T>(), gather, weights, s.in, epilogue, s.in, math);
      }
    }
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
