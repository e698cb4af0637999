#pragma once

#include "kernels/conv2d/pixel_gather.hpp"
#include "kernels/core/hopper.hpp"

/// The pixels that a convolution multiplies, as bulk copies bring them.
namespace ascore::kernels::ASCORE_BACKEND {

/// Which pixels a gather reads, its taps counted in the order of the pixels: grid pixel (n, i, j) reads the base pixel
/// (first_h + stride i, first_w + stride j) of image n, and those at the offsets of its taps from there, 0 and more.
struct HopperPixels {
  TensorMap map;
  Divisor by_width, by_height;  ///< of the grid
  int stride, first_h, first_w, taps_h, taps_w, tap_step, channels;

  /// True if the gather counts its taps from the last pixel to the first: tap a here is its tap taps - 1 - a.
  static bool reverses(const PixelGather& g) { return g.tap_step < 0; }

  /// The pixels of a gather that has some, copied `pixels` pixels at a time, 64 channels each.
  static HopperPixels make(const PixelGather& g, const void* images, int pixels) {
    const auto nearest = [&](int first, int taps) { return reverses(g) ? first + (taps - 1) * g.tap_step : first; };
    const PixelCorner first{nearest(g.first_h, g.taps_h), nearest(g.first_w, g.taps_w)};
    // The last base pixel counts from the last pixel of the image.
    const PixelCorner last{first.h + (g.grid_height - 1) * g.row_step - (g.source_height - 1),
                           first.w + (g.grid_width - 1) * g.row_step - (g.source_width - 1)};
    const PixelBox box{images, g.images, g.source_height, g.source_width, g.channels,
                       64,     pixels,   g.row_step,      first,          last};
    return {make_tensor_map(box),
            g.by_grid_width,
            g.by_grid_height,
            g.row_step,
            first.h,
            first.w,
            g.taps_h,
            g.taps_w,
            reverses(g) ? -g.tap_step : g.tap_step,
            g.channels};
  }

  /// A pixel of the grid, and the base pixel of one.
  struct Place {
    int n, h, w;
  };
  __device__ __forceinline__ Place place(int row) const {
    const int line = by_width.quotient(row), n = by_height.quotient(line);
    return {n, by_height.remainder(line, n), by_width.remainder(row, line)};
  }
  __device__ __forceinline__ Place base(int row) const {
    const Place at = place(row);
    return {at.n, first_h + at.h * stride, first_w + at.w * stride};
  }

  __device__ __forceinline__ void load(void* shared, uint64_t* barrier, const Place& first, int channel, int tap_h,
                                       int tap_w) const {
    bulk_load_pixels(shared, &map, barrier, channel, first.w, first.h, first.n, tap_w * tap_step, tap_h * tap_step);
  }
};

/// A gather's product: its units in the launch, its taps in the weights, and where its grid lies in the result.
struct PixelPart {
  HopperPixels pixels;
  int rows, first_unit;
  int first_tap, tap_step_h, tap_step_w;  ///< tap (a, b) has the weights first_tap + a tap_step_h + b tap_step_w
  int height, width, step, first_h, first_w;

  /// Of a gather that has pixels; first_unit is left to be filled in.
  static PixelPart make(const PixelGather& g, const void* images, int copied_pixels) {
    PixelPart part{};
    part.rows = g.rows();
    part.pixels = HopperPixels::make(g, images, copied_pixels);
    const bool reverses = HopperPixels::reverses(g);
    const int tap_h = g.weight_h + (reverses ? g.taps_h - 1 : 0) * g.weight_step;
    const int tap_w = g.weight_w + (reverses ? g.taps_w - 1 : 0) * g.weight_step;
    part.first_tap = tap_h * g.kernel + tap_w;
    part.tap_step_w = reverses ? -g.weight_step : g.weight_step;
    part.tap_step_h = part.tap_step_w * g.kernel;
    part.height = g.out_height, part.width = g.out_width, part.step = g.out_step;
    part.first_h = g.out_h, part.first_w = g.out_w;
    return part;
  }

  /// The pixel of the result that a row belongs to.
  __device__ __forceinline__ int result(int row) const {
    if (step == 1) return row;
    const HopperPixels::Place at = pixels.place(row);
    return (at.n * height + first_h + at.h * step) * width + first_w + at.w * step;
  }
};

}  // namespace ascore::kernels::ASCORE_BACKEND
