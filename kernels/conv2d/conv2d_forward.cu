#include "kernels/conv2d/conv2d_pixels.hpp"

namespace ascore::kernels::ASCORE_BACKEND {

void conv2d(Stream& stream, const Conv2dShape& s, ConstView x, ConstView weight, ConstView bias, MathMode math,
            View y) {
  for_product_types(x.dtype(), weight.dtype(), [&]<class T, class W>() {
    const MatrixSource<W> weights{weight.as<W>(), s.depth(), 1, s.out, s.depth()};
    multiply_pixels<Contiguous::depth>(stream, x.as<T>(), output_gather(s), weights, s.in, bias.as<float>(), y.as<T>(),
                                       s.out, math);
  });
}

}  // namespace ascore::kernels::ASCORE_BACKEND
