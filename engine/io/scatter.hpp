#pragma once

#include "engine/io/canvas.hpp"

#include <vector>

namespace ascore {

/// One cloud of points and how to draw it.
struct ScatterLayer {
  HostTensor points = {};  ///< f32 [N,2]: x to the right, y upwards
  Color color{31, 90, 180};
  double opacity = 0.35;  ///< of one dot: where dots overlap they add up to density
  double radius = 1.6;    ///< pixels
};

/// The square of the plane that is shown, and its size in pixels.
struct ScatterFrame {
  double low = -2, high = 2;
  int64_t pixels = 512;
};

/// Anti-aliased dots on white, the axes in light grey, layers one over the other: u8 [pixels,pixels,3]. Points outside
/// the frame (or not finite) are left out. Throws ShapeError, DTypeError.
HostTensor draw_scatter(const std::vector<ScatterLayer>& layers, const ScatterFrame& frame = {});

}  // namespace ascore
