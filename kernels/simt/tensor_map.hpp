#pragma once

#include "kernels/core/tensor_map.hpp"

#include <cstddef>
#include <cstdint>

namespace ascore::kernels::simt {

/// What a bulk copy of the emulated device brings: core/tensor_map.hpp's descriptions, checked.
struct TensorMap {
  bool pixels;  ///< a PixelBox, else a TiledBox
  const unsigned char* memory;
  int64_t sizes[4];  ///< innermost first; of a TiledBox three, then 1
  int box[4];        ///< of a TiledBox
  int box_channels, box_pixels, stride;
  int lower[2], upper[2];  ///< of a PixelBox: along w and h

  int row_elements() const { return pixels ? box_channels : box[0]; }
  int rows() const { return pixels ? box_pixels : box[1] * box[2]; }
  size_t row_bytes() const { return 2 * static_cast<size_t>(row_elements()); }
  size_t bytes() const { return row_bytes() * static_cast<size_t>(rows()); }
};

/// Throws DeviceError for what the driver would refuse.
TensorMap make_tensor_map(const TiledBox& box);
TensorMap make_tensor_map(const PixelBox& box);

}  // namespace ascore::kernels::simt
