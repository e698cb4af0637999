#pragma once

#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/core/shape.hpp"

namespace ascore::kernels {

/// A linear layer of `rows` [N,I] as a convolution by one tap: N images of one pixel with I channels.
inline Conv2dShape as_pixels(const Shape& rows, int64_t out) {
  const auto narrow = [](int64_t size) { return static_cast<int>(size); };
  return {.images = narrow(rows[0]), .height = 1, .width = 1, .in = narrow(rows[1]), .out = narrow(out), .kernel = 1};
}

}  // namespace ascore::kernels
