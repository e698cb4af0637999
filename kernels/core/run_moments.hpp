#pragma once

#include "kernels/core/shape.hpp"

#include <cstdint>

/// Moments of runs of pixels: what a producer of images y [N,H,W,C] can leave of the values that it stores (as they are
/// rounded), so that a normalisation need not read y to find the moments of its channels. The P = H W pixels of an
/// image are S runs of adjacent ones, of one length:
///
///   run moments  [N,S,2,C]  f32 (f64 with f64): of every run and channel the mean, and the sum of squared distances
///                           from it
///
/// A run is at most 16 pixels long, what a warp's tensor-core products have of a tile, and a power of two: it lies in
/// one tile and in one image, so that S depends on H and W alone, and neither tiles nor the batch change a bit.
namespace ascore::kernels {

/// Length of the runs of images of `pixels` pixels; 0: no length divides them, or only one so short that its moments
/// would be as much as the pixels.
constexpr int64_t run_length(int64_t pixels) {
  constexpr int64_t kLongest = 16, kShortest = 8;
  if (pixels <= 0) return 0;
  for (int64_t length = kLongest; length >= kShortest; length /= 2) {
    if (pixels % length == 0) return length;
  }
  return 0;
}

/// Shape of the run moments of images of shape `y`; S is 0 where there are none.
inline Shape run_moments_shape(const Shape& y) {
  const int64_t pixels = y[1] * y[2], length = run_length(pixels);
  return {y[0], length ? pixels / length : 0, 2, y[3]};
}

}  // namespace ascore::kernels
