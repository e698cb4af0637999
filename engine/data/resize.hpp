#pragma once

#include "engine/io/host_tensor.hpp"

namespace ascore {

/// Resizes u8 [H,W,C] to [height,width,C] as PIL's Image.resize(..., BILINEAR) does: a triangle as wide as
/// an output pixel (at least as an input pixel, so that shrinking averages), first along rows, then along columns,
/// rounded to 8 bits after each; a side that keeps its length is left as it is. Throws ShapeError for a side below 1
/// and more than kMostPixels.
HostTensor resize_bilinear(const HostTensor& image, int64_t height, int64_t width);

/// Resizes so that the shorter side has `size` pixels; the longer gets size * long / short of them, rounded down, as
/// torchvision's Resize does.
HostTensor resize_shorter_side(const HostTensor& image, int64_t size);

/// The square of `size` pixels in the middle; where it cannot be in the middle, half a pixel is rounded to an even
/// number, as torchvision's CenterCrop does. Throws ShapeError if a side is shorter.
HostTensor center_crop(const HostTensor& image, int64_t size);

}  // namespace ascore
