#pragma once

#include "kernels/conv2d/conv2d_shape.hpp"
#include "kernels/gemm/divisor.hpp"

#include <numeric>

namespace ascore::kernels {

/// Which pixels of a source image a convolution multiplies. Rows are the pixels (n, i, j) of a grid, the depth is
/// (tap a, tap b, channel); element (row, depth) is
///
///   source[n, first_h + i row_step + a tap_step, first_w + j row_step + b tap_step, channel],   0 outside the image
///
/// The result of row (n, i, j) belongs to pixel (n, out_h + i out_step, out_w + j out_step) of the output image, and
/// the gather's tap (a, b) is tap (weight_h + a weight_step, weight_w + b weight_step) of the layer's kernel.
struct PixelGather {
  int images, grid_height, grid_width;
  int source_height, source_width, channels;
  int row_step, tap_step, first_h, first_w;
  int taps_h, taps_w;
  int out_height, out_width, out_step, out_h, out_w;
  int kernel, weight_step, weight_h, weight_w;
  Divisor by_grid_width, by_grid_height, by_channels, by_taps_w;

  int rows() const { return images * grid_height * grid_width; }
  int depth() const { return taps_h * taps_w * channels; }

  void set_divisors() {
    by_grid_width = Divisor(grid_width);
    by_grid_height = Divisor(grid_height);
    by_channels = Divisor(channels);
    by_taps_w = Divisor(taps_w > 0 ? taps_w : 1);
  }
};

/// The pixels of x that outputs are made of.
inline PixelGather output_gather(const Conv2dShape& s) {
  PixelGather g{};
  g.images = s.images, g.grid_height = s.out_height(), g.grid_width = s.out_width();
  g.source_height = s.height, g.source_width = s.width, g.channels = s.in;
  g.row_step = s.stride, g.tap_step = s.dilation, g.first_h = g.first_w = -s.padding();
  g.taps_h = g.taps_w = s.kernel;
  g.out_height = g.grid_height, g.out_width = g.grid_width, g.out_step = 1;
  g.kernel = s.kernel, g.weight_step = 1;
  g.set_divisors();
  return g;
}

/// The taps through which input pixels p = parity + stride i (in one direction) reach outputs: every `step`-th from
/// `first`; through tap `first` output first_output + i.
struct ParityTaps {
  int first, count, step, first_output;
};
inline ParityTaps parity_taps(const Conv2dShape& s, int parity) {
  const int step = s.stride / std::gcd(s.stride, s.dilation);
  for (int tap = 0; tap < step && tap < s.kernel; ++tap) {
    const int reached = parity + s.padding() - tap * s.dilation;  // stride times the output's index
    if (reached % s.stride == 0) return {tap, (s.kernel - 1 - tap) / step + 1, step, reached / s.stride};
  }
  return {0, 0, step, 0};
}

/// The pixels of dy that the gradients of input pixels (parity_h + stride i, parity_w + stride j) are made of: one of
/// stride x stride products, each with the taps that reach its pixels and no others.
inline PixelGather input_gather(const Conv2dShape& s, int parity_h, int parity_w) {
  const ParityTaps h = parity_taps(s, parity_h), w = parity_taps(s, parity_w);
  const auto pixels_along = [&](int size, int parity) {
    return size > parity ? (size - parity + s.stride - 1) / s.stride : 0;
  };
  PixelGather g{};
  g.images = s.images, g.grid_height = pixels_along(s.height, parity_h), g.grid_width = pixels_along(s.width, parity_w);
  g.source_height = s.out_height(), g.source_width = s.out_width(), g.channels = s.out;
  g.row_step = 1, g.tap_step = -s.dilation * h.step / s.stride, g.first_h = h.first_output, g.first_w = w.first_output;
  g.taps_h = h.count, g.taps_w = w.count;
  g.out_height = s.height, g.out_width = s.width, g.out_step = s.stride, g.out_h = parity_h, g.out_w = parity_w;
  g.kernel = s.kernel, g.weight_step = h.step, g.weight_h = h.first, g.weight_w = w.first;
  if (g.rows() > 0) g.set_divisors();
  return g;
}

}  // namespace ascore::kernels
