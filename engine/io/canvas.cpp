#include "engine/io/canvas.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>
#include <string>

#include <fmt/format.h>
#include <stb_easy_font.h>

namespace ascore {

namespace {

/// A letter's stroke as stb_easy_font gives it: four corners of an upright rectangle.
struct Quad {
  struct {
    float x, y, z;
    std::array<unsigned char, 4> color;
  } corners[4];
};

/// Rectangles that make up a text whose upper left corner is the origin, at size 1.
std::vector<Quad> strokes(std::string_view words) {
  constexpr size_t kMostPerLetter = 32;
  std::string ended(words);
  std::vector<Quad> quads(words.size() * kMostPerLetter);
  const int used =
      stb_easy_font_print(0, 0, ended.data(), nullptr, quads.data(), static_cast<int>(quads.size() * sizeof(Quad)));
  quads.resize(static_cast<size_t>(used));
  return quads;
}

double distance_to_segment(double x, double y, double x0, double y0, double x1, double y1) {
  const double dx = x1 - x0, dy = y1 - y0, square = dx * dx + dy * dy;
  const double along = square > 0 ? std::clamp(((x - x0) * dx + (y - y0) * dy) / square, 0.0, 1.0) : 0;
  return std::hypot(x - (x0 + along * dx), y - (y0 + along * dy));
}

/// How much of [pixel, pixel + 1) lies in [low, high).
double overlap(double pixel, double low, double high) {
  return std::clamp(std::min(pixel + 1, high) - std::max(pixel, low), 0.0, 1.0);
}

}  // namespace

Canvas::Canvas(int64_t width, int64_t height) : width_(width), height_(height) {
  if (width < 1 || height < 1) throw ShapeError(fmt::format("a canvas of {} x {} pixels is empty", width, height));
  values_.assign(static_cast<size_t>(width * height * 3), 255.0);
}

void Canvas::blend(int64_t x, int64_t y, const Color& color, double opacity) {
  if (x < 0 || y < 0 || x >= width_ || y >= height_) return;
  double* pixel = &values_[static_cast<size_t>((y * width_ + x) * 3)];
  for (size_t c = 0; c < 3; ++c) pixel[c] += opacity * (color[c] - pixel[c]);
}

/// Blends every pixel of the box by coverage(column, row) in [0,1].
template <class Coverage>
void Canvas::cover(double x0, double y0, double x1, double y1, const Color& color, double opacity, Coverage coverage) {
  const auto first = [](double at) { return static_cast<int64_t>(std::floor(std::max(at, 0.0))); };
  const auto last = [](double at, int64_t side) {
    return static_cast<int64_t>(std::ceil(std::min(at, static_cast<double>(side))));
  };
  const int64_t right = last(x1, width_), bottom = last(y1, height_);
  for (int64_t row = first(y0); row < bottom; ++row) {
    for (int64_t column = first(x0); column < right; ++column) {
      const double share = coverage(static_cast<double>(column), static_cast<double>(row));
      if (share > 0) blend(column, row, color, share * opacity);
    }
  }
}

void Canvas::dot(double x, double y, double radius, const Color& color, double opacity) {
  line(x, y, x, y, 2 * radius, color, opacity);
}

void Canvas::line(double x0, double y0, double x1, double y1, double thickness, const Color& color, double opacity) {
  const double radius = thickness / 2, reach = radius + 1;
  // A pixel is covered in proportion to how far its centre lies inside the rim.
  cover(std::min(x0, x1) - reach, std::min(y0, y1) - reach, std::max(x0, x1) + reach, std::max(y0, y1) + reach, color,
        opacity, [&](double column, double row) {
          const double distance = distance_to_segment(column + 0.5, row + 0.5, x0, y0, x1, y1);
          return std::clamp(radius + 0.5 - distance, 0.0, 1.0);
        });
}

void Canvas::rectangle(double x0, double y0, double x1, double y1, const Color& color, double opacity) {
  cover(x0, y0, x1, y1, color, opacity,
        [&](double column, double row) { return overlap(column, x0, x1) * overlap(row, y0, y1); });
}

void Canvas::text(double x, double y, std::string_view words, double size, const Color& color) {
  for (const Quad& quad : strokes(words)) {
    const auto &a = quad.corners[0], &b = quad.corners[2];
    rectangle(x + size * a.x, y + size * a.y, x + size * b.x, y + size * b.y, color);
  }
}

void Canvas::upward_text(double x, double y, std::string_view words, double size, const Color& color) {
  for (const Quad& quad : strokes(words)) {
    const auto &a = quad.corners[0], &b = quad.corners[2];
    rectangle(x + size * a.y, y - size * b.x, x + size * b.y, y - size * a.x, color);
  }
}

HostTensor Canvas::picture() const {
  HostTensor result({height_, width_, 3}, DType::u8);
  std::ranges::transform(values_, result.as<uint8_t>().begin(),
                         [](double value) { return static_cast<uint8_t>(std::lround(value)); });
  return result;
}

double text_width(std::string_view words, double size) {
  std::string ended(words);
  return size * stb_easy_font_width(ended.data());
}

double text_height(double size) {
  constexpr double kLetterHeight = 9;  // of stb_easy_font, from the top of an ascender to the foot of a descender
  return size * kLetterHeight;
}

}  // namespace ascore
