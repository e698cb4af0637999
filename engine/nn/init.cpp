#include "engine/nn/init.hpp"

#include "kernels/core/error.hpp"

#include <cmath>

#include <fmt/format.h>

namespace ascore {

Init Init::resolved(const Shape& shape) const {
  if (kind != Kind::fan_in_uniform && kind != Kind::xavier_uniform) return *this;
  double fan_in = kind == Kind::fan_in_uniform ? a : 0;
  if (fan_in == 0) {
    if (shape.rank() < 2) throw ShapeError(fmt::format("init: a fan cannot be read off {}", to_string(shape)));
    fan_in = static_cast<double>(shape.count()) / static_cast<double>(shape.dim(0));
  }
  if (kind == Kind::fan_in_uniform) return uniform(-1 / std::sqrt(fan_in), 1 / std::sqrt(fan_in));
  const double fan_out = static_cast<double>(shape.count()) / static_cast<double>(shape.dim(-1));
  const double bound = std::sqrt(6 * a / (fan_in + fan_out));
  return uniform(-bound, bound);
}

}  // namespace ascore
