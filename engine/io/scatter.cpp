#include "engine/io/scatter.hpp"

#include "kernels/core/error.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

HostTensor draw_scatter(const std::vector<ScatterLayer>& layers, const ScatterFrame& frame) {
  if (!(frame.low < frame.high) || frame.pixels < 1) throw ShapeError("draw_scatter: an empty frame");
  Canvas canvas(frame.pixels, frame.pixels);
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
      canvas.dot(to_x(x), to_y(y), layer.radius, layer.color, layer.opacity);
    }
  }
  return canvas.picture();
}

}  // namespace ascore
