#include "kernels/simt/tensor_map.hpp"

#include "kernels/core/error.hpp"

#include <fmt/core.h>

/// The limits are those that cuda.h gives for cuTensorMapEncodeTiled and cuTensorMapEncodeIm2col.
namespace ascore::kernels::simt {

namespace {

constexpr int64_t kLargestSize = int64_t(1) << 32;
constexpr int kSwizzledElements = 64, kLargestBox = 256, kLargestColumn = 1024, kLargestStride = 8;

void require(bool holds, const char* rule) {
  if (!holds) throw DeviceError(fmt::format("tensor map: {}", rule));
}

void require_memory(const void* memory, const int64_t (&sizes)[4]) {
  require(reinterpret_cast<uintptr_t>(memory) % 16 == 0, "the memory must be aligned to 16 bytes");
  for (int64_t size : sizes) require(size >= 1 && size <= kLargestSize, "a size must lie in [1, 2^32]");
  require(sizes[0] % 8 == 0, "pitches must be multiples of 16 bytes");
}

}  // namespace

TensorMap make_tensor_map(const TiledBox& box) {
  TensorMap map{};
  map.memory = static_cast<const unsigned char*>(box.memory);
  for (int i = 0; i < 4; ++i) {
    map.sizes[i] = i < 3 ? box.sizes[i] : 1;
    map.box[i] = i < 3 ? box.box[i] : 1;
    require(map.box[i] >= 1 && map.box[i] <= kLargestBox, "a side of the box must lie in [1, 256]");
  }
  require_memory(box.memory, map.sizes);
  require(map.box[0] % 8 == 0 && map.box[0] <= kSwizzledElements, "a row of the box must be 16 to 128 bytes");
  return map;
}

TensorMap make_tensor_map(const PixelBox& box) {
  TensorMap map{};
  map.pixels = true;
  map.memory = static_cast<const unsigned char*>(box.memory);
  const int sizes[4] = {box.channels, box.width, box.height, box.images};
  for (int i = 0; i < 4; ++i) map.sizes[i] = sizes[i];
  map.box_channels = box.box_channels, map.box_pixels = box.box_pixels;
  map.stride = box.stride;
  map.lower[0] = box.lower.w, map.lower[1] = box.lower.h;
  map.upper[0] = box.upper.w, map.upper[1] = box.upper.h;
  require_memory(box.memory, map.sizes);
  require(box.box_channels % 8 == 0 && box.box_channels >= 8 && box.box_channels <= kSwizzledElements,
          "the channels of a copy must be 16 to 128 bytes");
  require(box.box_pixels >= 1 && box.box_pixels <= kLargestColumn, "the pixels of a copy must lie in [1, 1024]");
  require(box.stride >= 1 && box.stride <= kLargestStride, "the stride must lie in [1, 8]");
  const auto is_corner = [](int corner) { return corner >= -128 && corner <= 127; };
  for (int i = 0; i < 2; ++i) {
    require(is_corner(map.lower[i]) && is_corner(map.upper[i]), "corners must lie in [-128, 127]");
    require(sizes[1 + i] + map.upper[i] > map.lower[i], "there must be a base pixel");
  }
  return map;
}

}  // namespace ascore::kernels::simt
