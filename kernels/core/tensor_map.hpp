#pragma once

#include <cstdint>

/// What a bulk tensor copy brings from global into shared memory, described on the host: tensors of bf16 in contiguous
/// memory, whose boxes lie in shared memory as rows of the innermost dimension, swizzled by 128 bytes (chunk c of 16
/// bytes of the 128-byte line l of a 1024-byte aligned piece is chunk c ^ (l mod 8)). What lies outside the tensor is
/// zero. The memory must be aligned to 16 bytes, and the innermost dimension a multiple of 8 elements.
namespace ascore::kernels {

/// A tensor of three dimensions, the innermost first, and the box that one copy brings: at most 64 elements of the
/// innermost dimension, at most 256 of the others.
struct TiledBox {
  const void* memory;
  int64_t sizes[3];
  int box[3];
};

struct PixelCorner {
  int h, w;
};

/// Images [images,height,width,channels] and what one copy brings: `box_channels` (at most 64) of `box_pixels` (at most
/// 1024) pixels. A copy starts at a base pixel and walks along base pixels, `stride` apart, through rows, then columns,
/// then images; base pixels begin at `lower` and end at size - 1 + `upper` in each direction. What it brings of each is
/// the pixel at the offset that the copy names (the tap of a convolution).
struct PixelBox {
  const void* memory;
  int images, height, width, channels;
  int box_channels, box_pixels;
  int stride;
  PixelCorner lower, upper;
};

}  // namespace ascore::kernels
