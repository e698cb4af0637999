#pragma once

#include "engine/io/host_tensor.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ascore {

using Color = std::array<uint8_t, 3>;  ///< red, green, blue

/// A white picture to draw on, anti-aliased. Positions are in pixels from the upper left corner, y downwards; what lies
/// outside is left out. Values are kept in double, so that many faint strokes add up.
class Canvas {
 public:
  /// Throws ShapeError unless both sides are at least 1.
  Canvas(int64_t width, int64_t height);

  int64_t width() const { return width_; }
  int64_t height() const { return height_; }

  /// Moves a pixel's colour towards `color` by `opacity` in [0,1].
  void blend(int64_t x, int64_t y, const Color& color, double opacity);
  /// A disc around (x, y).
  void dot(double x, double y, double radius, const Color& color, double opacity = 1);
  /// A straight stroke with round ends.
  void line(double x0, double y0, double x1, double y1, double thickness, const Color& color, double opacity = 1);
  /// The rectangle [x0,x1) x [y0,y1).
  void rectangle(double x0, double y0, double x1, double y1, const Color& color, double opacity = 1);
  /// One line of text (ASCII) with its upper left corner at (x, y); `size` scales letters of about 7 pixels' height.
  void text(double x, double y, std::string_view words, double size, const Color& color);
  /// The same, turned to be read from below upwards; (x, y) is the lower left corner.
  void upward_text(double x, double y, std::string_view words, double size, const Color& color);

  /// u8 [H,W,3].
  HostTensor picture() const;

 private:
  template <class Coverage>
  void cover(double x0, double y0, double x1, double y1, const Color& color, double opacity, Coverage coverage);

  int64_t width_, height_;
  std::vector<double> values_;
};

/// Pixels that a text of that size takes.
double text_width(std::string_view words, double size);
double text_height(double size);

}  // namespace ascore
