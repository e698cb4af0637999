#pragma once

#include "engine/io/host_tensor.hpp"

namespace ascore {

/// Resizes u8 [H,W,C] to [height,width,C] as PIL's Image.resize(..., BILINEAR) does: a triangle as wide as
/// an output pixel (at least as an input pixel, so that shrinking averages), first along rows, then along columns,
/// rounded to 8 bits after each; a side that keeps its length is left as it is. Throws ShapeError for a side below 1
/// and more than kMostPixels.
HostTensor resize_bilinear(const HostTensor& image, int64_t height, int64_t width);

/// Resizes to the smallest picture of the same proportions that covers height x width: one side fits, the other is
/// rounded down. For a square this is what torchvision's Resize does with the shorter side.
HostTensor resize_to_cover(const HostTensor& image, int64_t height, int64_t width);

/// The height x width pixels in the middle; where they cannot be in the middle, half a pixel is rounded to an even
/// number, as torchvision's CenterCrop does. Throws ShapeError if a side is shorter.
HostTensor center_crop(const HostTensor& image, int64_t height, int64_t width);

}  // namespace ascore
