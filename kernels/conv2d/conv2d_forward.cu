#include "kernels/conv2d/conv2d_hopper.hpp"
#include "kernels/conv2d/conv2d_pixels.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias, MathMode math, View y,
            const Conv2dEpilogue& e) {
  if (s.images > 0 && fits_hopper(s) && runs_on_hopper(stream, {x, weight, y}, {e.residual, e.sum})) {
    return hopper_conv2d(stream, s, x, weight, bias, y, e);
  }
  for_product_types(x.dtype(), weight.dtype(), [&]<class T, class W>() {
    const MatrixSource<W> weights{weight.as<W>(), s.depth(), 1, s.out, s.depth()};
    const OutputEpilogue<T> epilogue{bias.as<float>(), e.residual.as<T>(), e.sum.as<T>(),
                                     y.as<T>(),        e.activation,       static_cast<float>(e.slope)};
    multiply_pixels<Contiguous::depth>(stream, x.as<T>(), output_gather(s), weights, s.in, epilogue, s.out, math);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
