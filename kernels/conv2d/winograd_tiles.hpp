#pragma once

#include "kernels/conv2d/conv2d_shape.hpp"

#include <cstdint>

namespace ascore::kernels::cpu {

inline constexpr int kTileSide = 4;                        ///< inputs of a tile in each direction, and its transform
inline constexpr int kTilePlaces = kTileSide * kTileSide;  ///< elements of a transformed tile
inline constexpr int kTileOutputs = 2;                     ///< outputs of a tile in each direction

/// 2x2 outputs of an image, `dilation` apart, of which (h, w) is the first.
struct WinogradTile {
  int64_t image, h, w;
};

/// The tiles of a batch, image by image. A convolution of dilation d is d x d plain ones, each of every d-th row and
/// column. Tiles at the border may hang over: pixels beside the image are zeros as inputs, and no outputs.
class WinogradTiles {
 public:
  explicit WinogradTiles(const Conv2dShape& s)
      : dilation_(s.dilation), rows_(along(s.height)), columns_(along(s.width)), images_(s.images) {}

  int64_t per_image() const { return dilation_ * dilation_ * rows_ * columns_; }
  int64_t count() const { return images_ * per_image(); }

  WinogradTile operator[](int64_t i) const {
    const int64_t column = i % columns_, row = i / columns_ % rows_;
    const int64_t part = i % per_image() / (rows_ * columns_), step = kTileOutputs * dilation_;
    return {i / per_image(), part / dilation_ + row * step, part % dilation_ + column * step};
  }

 private:
  /// Tiles along the longest of the parts that `size` pixels fall into.
  int64_t along(int size) const {
    const int64_t part = (size + dilation_ - 1) / dilation_;
    return (part + kTileOutputs - 1) / kTileOutputs;
  }

  int64_t dilation_, rows_, columns_, images_;
};

}  // namespace ascore::kernels::cpu
