#include "engine/io/scatter.hpp"

#include "kernels/core/error.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace ascore {

namespace {

// A square RGB picture that is painted over, in double so that many faint dots add up.
class Canvas {
 public:
  explicit Canvas(int64_t side) : side_(side), values_(static_cast<size_t>(side * side * 3), 255.0) {}

  void blend(int64_t x, int64_t y, const std::array<uint8_t, 3>& color, double opacity) {
    if (x < 0 || y < 0 || x >= side_ || y >= side_) return;
    double* pixel = &values_[static_cast<size_t>((y * side_ + x) * 3)];
    for (size_t c = 0; c < 3; ++c) pixel[c] += opacity * (color[c] - pixel[c]);
  }

  // A pixel is covered in proportion to how far its centre lies inside the rim.
  void dot(double x, double y, const ScatterLayer& layer) {
    const auto reach = static_cast<int64_t>(std::ceil(layer.radius)) + 1;
    const auto column = static_cast<int64_t>(std::floor(x)), row = static_cast<int64_t>(std::floor(y));
    for (int64_t j = row - reach; j <= row + reach; ++j) {
      for (int64_t i = column - reach; i <= column + reach; ++i) {
        const double distance = std::hypot(static_cast<double>(i) + 0.5 - x, static_cast<double>(j) + 0.5 - y);
        const double coverage = std::clamp(layer.radius + 0.5 - distance, 0.0, 1.0);
        if (coverage > 0) blend(i, j, layer.color, coverage * layer.opacity);
      }
    }
  }

  HostTensor picture() const {
    HostTensor result({side_, side_, 3}, DType::u8);
    std::ranges::transform(values_, result.as<uint8_t>().begin(),
                           [](double value) { return static_cast<uint8_t>(std::lround(value)); });
    return result;
  }

 private:
  int64_t side_;
  std::vector<double> values_;
};

}  // namespace

HostTensor draw_scatter(const std::vector<ScatterLayer>& layers, const ScatterFrame& frame) {
  if (!(frame.low < frame.high) || frame.pixels < 1) throw ShapeError("draw_scatter: an empty frame");
  Canvas canvas(frame.pixels);
  const double scale = static_cast<double>(frame.pixels) / (frame.high - frame.low);
  const auto to_x = [&](double x) { return (x - frame.low) * scale; };
  const auto to_y = [&](double y) { return (frame.high - y) * scale; };
  for (int64_t i = 0; i < frame.pixels; ++i) {
    canvas.blend(static_cast<int64_t>(std::floor(to_x(0))), i, {225, 225, 225}, 1);
    canvas.blend(i, static_cast<int64_t>(std::floor(to_y(0))), {225, 225, 225}, 1);
  }
  for (const ScatterLayer& layer : layers) {
    const Shape& shape = layer.points.shape;
    if (shape.rank() != 2 || shape[1] != 2) {
      throw ShapeError(fmt::format("draw_scatter: {} are no points of the plane [N,2]", to_string(shape)));
    }
    const std::span<const float> points = layer.points.as<float>();
    for (size_t n = 0; n < points.size(); n += 2) {
      const double x = points[n], y = points[n + 1];
      // Written so that a NaN fails it too.
      if (!(x >= frame.low && x <= frame.high && y >= frame.low && y <= frame.high)) continue;
      canvas.dot(to_x(x), to_y(y), layer);
    }
  }
  return canvas.picture();
}

}  // namespace ascore
